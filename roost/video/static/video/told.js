// What somebody who waits reads of whether the therapist knows of them.

import { write } from "./practice.js";

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
