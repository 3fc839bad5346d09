// Who waits and who is here: the therapist's list above the call.

import { now } from "./clock.js";

const WORDS = { removed: "was removed", lost: "has lost the line", admitted: "is coming in" };
const MOST_CLIENTS = 3;
const IN_ROOM = new Set(["admitted", "connected", "lost"]);

/** How long somebody has waited, in words; "" for less than a minute. */
function waited(since) {
  const minutes = Math.max(0, Math.floor((now() - Date.parse(since)) / 60000));
  return minutes ? `, for ${minutes} min` : "";
}

/** Writes only what is new: the list is read aloud as it changes. */
function write(box, words) {
  if (box.textContent !== words) box.textContent = words;
}

/** The name on the record, and the one that was typed where it says something else. */
const nameOf = ({ client, name }) => (client && !client.includes(name) ? `${client} (as ${name})` : client ?? name);

export class Lobby {
  #people = []; #rows = new Map();

  /** `say` sends the server a message, `shown` whom of those who wait the list shows. */
  constructor({ box, template, declining, all, full, say, shown }) {
    Object.assign(this, { box, template, declining, all, full, say, shown });
    all.addEventListener("click", () => say({ type: "admit_all" }));
    declining.addEventListener("close", () => {
      const { returnValue, dataset } = declining;
      declining.returnValue = "";
      if (returnValue) say({ type: returnValue, cid: this.#people.find(({ id }) => id === dataset.person)?.cid ?? "" });
      // The button that opened it may have gone meanwhile.
      setTimeout(() => { if (document.activeElement === document.body || declining.contains(document.activeElement)) this.#rest(); });
    });
    setInterval(() => this.draw(), 15000);
  }

  draw(people = this.#people) {
    this.#people = people;
    const rows = people.filter((person) => person.role === "client");
    const waiting = rows.filter((person) => person.state === "waiting");
    const isFull = rows.filter((person) => IN_ROOM.has(person.state)).length >= MOST_CLIENTS;
    const held = document.activeElement?.closest?.("[data-lobby]");
    const here = new Set(rows.map((person) => person.cid));
    for (const [cid, row] of this.#rows) if (!here.has(cid)) { row.remove(); this.#rows.delete(cid); }
    rows.forEach((person, n) => {
      const row = this.#rows.get(person.cid) ?? this.#add(person.cid);
      this.#fill(row, person, waiting);
      if (this.declining.dataset.person === person.id) this.#nameDeclined(person);
      if (this.box.children[n] !== row) this.box.insertBefore(row, this.box.children[n] ?? null);
    });
    const heldAll = document.activeElement === this.all;
    this.all.hidden = waiting.length < 2 || isFull;
    this.full.hidden = !(isFull && waiting.length);
    if (heldAll ? this.all.hidden : held && (!held.isConnected || held.hidden)) this.#rest();
    this.#sayShown(waiting.filter((person) => person.told === false));
  }

  /** Once for each news of them: the server writes it down, and tells whoever waits. */
  #sayShown(untold) {
    for (const person of untold) person.told = true;
    if (untold.length) this.shown(untold.map(({ id }) => id));
  }

  /** Whoever works by keyboard comes to the next to be let in, and never to Remove unawares. */
  #rest() {
    (this.box.querySelector("[data-lobby=admit]:not([hidden])") ?? document.getElementById("call-title")).focus({ preventScroll: true });
  }

  #add(cid) {
    const row = this.template.content.firstElementChild.cloneNode(true);
    row.dataset.cid = cid;
    this.#rows.set(cid, row);
    for (const button of row.querySelectorAll("button")) {
      button.addEventListener("click", () => this.#act(button.dataset.lobby, this.#people.find((person) => person.cid === cid)));
    }
    return row;
  }

  #fill(row, person, waiting) {
    const name = nameOf(person), isWaiting = person.state === "waiting";
    write(row.querySelector(".lobby-name"), name);
    write(row.querySelector(".lobby-state"), isWaiting ? "is waiting" : WORDS[person.state] ?? "");
    write(row.querySelector(".lobby-since"), isWaiting ? waited(person.since) : "");
    const [admit, decline, remove] = row.querySelectorAll("button");
    admit.hidden = !["waiting", "removed"].includes(person.state);
    // One thing to press stands out.
    admit.classList.toggle("button-act", waiting.length === 1 && person.state === "waiting");
    decline.hidden = person.state !== "waiting";
    remove.hidden = !IN_ROOM.has(person.state);
    write(admit, person.state === "removed" ? "Let back in" : "Admit");
    for (const button of [admit, decline, remove]) {
      const label = `${button.textContent} ${name}`;
      if (button.getAttribute("aria-label") !== label) button.setAttribute("aria-label", label);
    }
  }

  #act(what, person) {
    if (what !== "decline") return this.say({ type: what, cid: person.cid });
    // Not the page load: whoever loads theirs again meanwhile is meant all the same.
    this.declining.dataset.person = person.id;
    this.#nameDeclined(person);
    this.declining.showModal();
  }

  #nameDeclined(person) { write(this.declining.querySelector(".declined-name"), nameOf(person)); }

  /** The server had no place for somebody: it is said where nobody can overlook it. */
  sayFull() { this.full.hidden = false; }
}
