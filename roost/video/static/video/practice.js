// What is said of the practice: its number, for when nothing else helps (a therapist is not told her
// own), and to whoever waits, whether the therapist knows of them.

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

// -- in the waiting room ----------------------------------------------------------------------------

// A page of the office that is open has shown them by then.
const SHOWN_WITHIN = 2000;

/** Returns { knocks, waits(isTold), says(words) }: the person has knocked, the server has them as waiting,
    something else has to be said there. `data-told` of the box is set while they wait: "yes" or "no". */
export function startTold({ box, first }) {
  const words = {
    knocks: `Letting ${first} know you’re here`,
    no: `You’re in the waiting room. ${first}’s page will say so once it’s open.`,
    yes: `${first} has been told you’re here`,
  };
  let later = 0;

  function says(text) {
    clearTimeout(later);
    later = 0;
    delete box.dataset.told;
    write(box, text);
  }

  return {
    says,
    knocks: () => says(words.knocks),
    waits(isTold) {
      const told = isTold ? "yes" : "no";
      if (box.dataset.told === told) return;
      says(isTold ? words.yes : words.knocks);
      box.dataset.told = told;
      if (!isTold) later = setTimeout(write, SHOWN_WITHIN, box, words.no);
    },
  };
}
