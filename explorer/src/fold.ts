// The form in which names are compared. It is that of the commands (drug_assets/cleaning/text.py and
// name_marks.py), by rules in place of Python's tables; a test compares both over all of Unicode.

const ASCII = /^[\0-\x7f]*$/;
const BLANKS = /[\s\x1c-\x1f\x85]+/g;
const INVISIBLE =
  /[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb]/g;
/** Ligatures and Roman numerals of one character. */
const SEVERAL_LETTERS = /[\ufb00-\ufb06\u2160-\u217f]/g;

/** Signs that typography has in several forms, by the form that keyboards write. */
const SIGNS = new Map(
  Object.entries({
    "-": "\u02d7\u05be\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d",
    "'": "`\u00b4\u02b9\u02bb\u02bc\u02bd\u2018\u2019\u201b\u2032\u2035\ua78c\uff07",
    '"': "\u02ba\u201c\u201d\u201e\u201f\u2033\u2036\uff02",
  }).flatMap(([written, signs]) => Array.from(signs, (sign) => [sign, written] as const)),
);
const LETTER_OR_DIGIT = /^[\p{L}\p{N}]$/u;
/** Numbers in circles are signs of their own, not digits. Letters in circles are no letters anyway. */
const IN_CIRCLE = /[\u2460-\u2468\u24ea\u3280-\u3289]/;
/** Of this script, the small letters are the newer ones. */
const CHEROKEE = /\p{Script=Cherokee}/u;

/** Marks of the classes of combining 202 and 240, the lowest of accents and the highest of all. */
const LOWEST_ACCENT = "\u0321";
const HIGHEST_MARK = "\u0345";

/** Whether Unicode puts a mark before another one: if its class is lower, and not 0. */
function comesBefore(mark: string, other: string): boolean {
  return (other + mark).normalize("NFD") !== other + mark.normalize("NFD");
}

function isMark(character: string): boolean {
  return character === HIGHEST_MARK || comesBefore(character, HIGHEST_MARK);
}

/** A mark above or below a letter, or attached to it; others are part of the letter in their script. */
function isAccent(character: string): boolean {
  return isMark(character) && !comesBefore(character, LOWEST_ACCENT);
}

function isOne(text: string): boolean {
  return text.length === (text.codePointAt(0)! > 0xffff ? 2 : 1);
}

/** The plain form of what is printed wide, raised, lowered or in another font. */
function withoutTypography(character: string): string {
  if (IN_CIRCLE.test(character)) return character;
  const plain = character.normalize("NFKC");
  const isAlike = isOne(plain) && LETTER_OR_DIGIT.test(plain) === LETTER_OR_DIGIT.test(character);
  return isAlike ? plain : character;
}

function foldCase(character: string): string {
  if (CHEROKEE.test(character)) return character.toUpperCase();
  if (character === "ı") return character; // it is no i, though its capital is
  // By way of the capital, letters that have several small forms become one of them: ς and σ.
  const capital = character.toUpperCase();
  const small = (isOne(capital) ? capital : character).toLowerCase();
  return isOne(small) ? small : character;
}

const folded = new Map<string, string>();

/** Typography, accents and case, again until nothing changes; one character for one. */
function foldCharacter(character: string): string {
  let found = folded.get(character);
  if (found === undefined) folded.set(character, (found = foldAnew(character)));
  return found;
}

function foldAnew(character: string): string {
  if (isMark(character)) return character;
  const plain = SIGNS.get(character) ?? withoutTypography(character);
  if (plain !== character) return foldCharacter(plain);
  const [base, ...marks] = character.normalize("NFD");
  const small = foldCase(marks.every(isAccent) ? base! : character);
  return small === character ? small : foldCharacter(small);
}

function clean(text: string): string {
  const visible = ASCII.test(text)
    ? text
    : text
        .replace(INVISIBLE, "")
        .replace(SEVERAL_LETTERS, (letters) => letters.normalize("NFKC"))
        .normalize("NFC");
  return visible.replace(BLANKS, " ").replace(/^ | $/g, "");
}

function foldClean(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase().replaceAll("`", "'");
  return Array.from(text, foldCharacter).join("");
}

/** In lower case, without accents, typography and needless blanks. */
export function fold(text: string): string {
  return foldClean(clean(text));
}

/** A name of words, numbers and single blanks alone has no marks. */
const UNMARKED =
  /^[A-Za-z0-9-]+(?:,[0-9][A-Za-z0-9-]*)*(?: [A-Za-z0-9-]+(?:,[0-9][A-Za-z0-9-]*)*)*$/;
const BODY =
  "(?:(?:USP(?:[-/ ]?NF)?|NF|(?:[RrPp]|[Rr]ec\\.? ?|[Pp]rop\\.? ?)?INNM?|BANM?|USAN|JAN|JP|DCF" +
  "|DCIT?|BP|EP|Ph\\.? ?Eur\\.?)(?:-[A-Z][a-z]+)?(?: ?[0-9]{1,4})?)";
const BODIES = `${BODY}(?:[/,;:& ]+${BODY})*`;
const MARKS: readonly RegExp[] = [
  /[([][®™℠©†‡°Ⓡ][)\]]|[®™℠©†‡°Ⓡ]|\((?:TM|Tm|tm|SM)\)/g,
  /^[\s*]+/,
  new RegExp(`(?:\\s*(?:[.,;:*…]|[(\\[]\\s*${BODIES}\\s*[)\\]]|,\\s*${BODIES}))+\\s*$`),
];

/** The name of a drug, folded, without what lists write at names: marks, and bodies that gave them. */
export function foldName(text: string): string {
  const name = clean(text);
  if (UNMARKED.test(name)) return foldClean(name);
  const bare = MARKS.reduce((left, mark) => left.replace(mark, ""), name);
  return foldClean(bare.replace(/\s+/g, " ").trim() || name);
}

/** The name of a journal, folded, without points after words and signs at its end. */
export function foldJournal(text: string): string {
  const name = fold(text);
  return name.replace(/\.+( |$)/g, "$1").replace(/[ .,;:!?/&*-]+$/, "") || name;
}
