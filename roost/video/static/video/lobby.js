// Who waits and who is here: the therapist's list above the call.

const WORDS = { removed: "was removed", lost: "has lost the line", admitted: "is coming in" };
const MOST_CLIENTS = 3;
const IN_ROOM = new Set(["admitted", "connected", "lost"]);

/** How long somebody has waited, in words. */
function waited(since) {
  const minutes = Math.max(0, Math.floor((Date.now() - Date.parse(since)) / 60000));
  return minutes ? `has waited ${minutes} min` : "is waiting";
}

/** The name on the record, and the one that was typed where it says something else. */
const nameOf = ({ client, name }) => (client && !client.includes(name) ? `${client} (as ${name})` : client ?? name);

export class Lobby {
  #drawn = ""; #people = [];

  /** `say` sends the server a message. */
  constructor({ box, template, declining, all, full, say }) {
    Object.assign(this, { box, template, declining, all, full, say });
    all.addEventListener("click", () => say({ type: "admit_all" }));
    declining.addEventListener("close", () => {
      const { returnValue, dataset } = declining;
      declining.returnValue = "";
      if (returnValue) say({ type: returnValue, cid: dataset.cid });
    });
    setInterval(() => this.draw(), 15000);
  }

  draw(people = this.#people) {
    this.#people = people;
    const rows = people.filter((person) => person.role === "client");
    const waiting = rows.filter((person) => person.state === "waiting");
    const isFull = rows.filter((person) => IN_ROOM.has(person.state)).length >= MOST_CLIENTS;
    const text = JSON.stringify([isFull, rows.map((person) => [person.cid, person.state, nameOf(person), person.since && waited(person.since)])]);
    if (text === this.#drawn) return;
    this.#drawn = text;
    const held = document.activeElement?.closest?.("[data-lobby]");
    const heldBy = held && [held.dataset.lobby, held.closest("li").dataset.cid];
    this.box.replaceChildren(...rows.map((person) => this.#row(person, waiting)));
    this.all.hidden = waiting.length < 2 || isFull;
    this.full.hidden = !(isFull && waiting.length);
    if (!heldBy || document.activeElement !== document.body) return;
    // Whoever works by keyboard stays where they were, or comes to the next to be let in.
    const same = this.box.querySelector(`li[data-cid="${CSS.escape(heldBy[1])}"] [data-lobby="${heldBy[0]}"]:not([hidden])`);
    (same ?? this.box.querySelector("button:not([hidden])"))?.focus();
  }

  #row(person, waiting) {
    const row = this.template.content.firstElementChild.cloneNode(true);
    row.dataset.cid = person.cid;
    const name = nameOf(person);
    row.querySelector(".lobby-name").textContent = name;
    row.querySelector(".lobby-state").textContent = person.state === "waiting" ? waited(person.since) : WORDS[person.state] ?? "";
    const [admit, decline, remove] = row.querySelectorAll("button");
    admit.hidden = !["waiting", "removed"].includes(person.state);
    // One thing to press stands out.
    admit.classList.toggle("button-act", waiting.length === 1 && person.state === "waiting");
    decline.hidden = person.state !== "waiting";
    remove.hidden = !IN_ROOM.has(person.state);
    if (person.state === "removed") admit.textContent = "Let back in";
    for (const button of [admit, decline, remove]) {
      button.setAttribute("aria-label", `${button.textContent} ${name}`);
      button.addEventListener("click", () => this.#act(button.dataset.lobby, person));
    }
    return row;
  }

  #act(what, person) {
    if (what !== "decline") return this.say({ type: what, cid: person.cid });
    this.declining.dataset.cid = person.cid;
    this.declining.querySelector(".declined-name").textContent = nameOf(person);
    this.declining.showModal();
  }

  /** The server had no place for somebody: it is said where nobody can overlook it. */
  sayFull() { this.full.hidden = false; }
}
