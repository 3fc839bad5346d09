// The end of the room's time, by the server's clock: the browser's may be wrong, and its machine asleep.

/** What is said of the room's time to who is in the call, or "". */
export function closingWords({ phase, closes, lasts }, { first, isTherapist }) {
  switch (phase) {
    case "closing":
      return isTherapist
        ? `The room closes to newcomers at ${closes}. This call can go on while you are in it, until ${lasts}.`
        : `The room closes at ${closes}. There’s no hurry: this call can go on while ${first} is in it, until ${lasts}.`;
    case "overtime":
      return isTherapist
        ? `The room is closed to newcomers, and whoever leaves now can’t come back. This call can go on until ${lasts}.`
        : `This call can go on while ${first} is in it, until ${lasts}. Whoever leaves now can’t come back.`;
    case "ending":
      return `This call ends at ${lasts}: the room’s time is over then.`;
    default:
      return "";
  }
}

export class Closing {
  #time;

  /** `box` shows the words; `closes` is the hour as the page was sent with it. */
  constructor({ box, closes, first, isTherapist }) {
    Object.assign(this, { box, first, isTherapist });
    this.#time = { phase: "open", closes, lasts: "" };
  }

  /** Any message of the server's: two kinds of them tell the time. */
  hear(message) {
    const told = message.type === "time" ? message : message.time;
    if (!told) return;
    this.#time = told;
    const words = closingWords(this.#time, this);
    if (this.box.textContent !== words) this.box.textContent = words;
  }

  /** Whether who leaves may come back, as last heard. */
  get isOpen() { return this.#time.phase === "open" || this.#time.phase === "closing"; }

  /** Until when, as the reader's clock says. */
  get until() { return this.#time.closes; }
}
