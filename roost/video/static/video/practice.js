// The practice's number on the screen, for when nothing else helps. A therapist is not told her own.

const { practicePhone: phone, practiceCall: address } = document.getElementById("main").dataset;

/** The sentence that ends what is said of a trouble, or "". */
export const helpWords = phone ? ` If nothing helps, call the practice at ${phone}.` : "";
/** "the practice", with its number where it has one. */
export const practiceWords = phone ? `the practice at ${phone}` : "the practice";

/** Writes `words` in `box`, with the practice's number to press; the same again changes nothing.
    Returns the box. */
export function write(box, words) {
  if (box.textContent === words) return box;
  const at = phone && address ? words.indexOf(phone) : -1;
  if (at < 0) { box.textContent = words; return box; }
  const link = Object.assign(document.createElement("a"), { href: address, textContent: phone });
  box.replaceChildren(words.slice(0, at), link, words.slice(at + phone.length));
  return box;
}
