// The form in which names are compared.
const PLAIN = /^[\x20-\x7e]*$/;

/** In lower case, without accents and needless blanks. */
export function fold(text: string): string {
  const bare = PLAIN.test(text) ? text : text.normalize("NFD").replace(/\p{M}/gu, "");
  return bare.toLowerCase().replace(/\s+/g, " ").trim();
}
