// Writes XML, as spreadsheets read it.

export const DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';

type Attributes = Readonly<Record<string, string | number>>;

/** An element; `content` is XML already. */
export function element(name: string, attributes: Attributes = {}, ...content: string[]): string {
  const said = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${escapeXml(String(value))}"`,
  );
  const start = `<${name}${said.join("")}`;
  return content.length === 0 ? `${start}/>` : `${start}>${content.join("")}</${name}>`;
}

/**
 * A text as content or as the value of an attribute. What XML cannot hold is left out; `_x000D_`
 * and the like, which spreadsheets decode, are told apart.
 */
export function escapeXml(text: string): string {
  return text
    .replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}/gu, "")
    .replace(/_(?=x[0-9A-Fa-f]{4}_)/g, "_x005F_")
    .replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replaceAll("\r", "_x000D_");
}
