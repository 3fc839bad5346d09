// The end: of the room's time, by the server's clock (the browser's may be wrong, and its machine
// asleep), and of somebody's part in a session: why, the way back, and what comes next.

const byId = (id) => document.getElementById(id);
// After these the next session stands here, and for the therapist the attendance.
const FOLLOWED = new Set(["left", "ended", "over", "late", "cancelled", "early"]);

/** For each reason: a title, words, and what the way back is called. `open`: who left may come back. */
export function endingFor(reason, { first, isTherapist, until, open }) {
  const endings = {
    left: ["You have left the session", open ? `The room stays open until ${until}. Come and go as you need.` : "", "Return to session"],
    replaced: ["You are in this session in another window", "Only one window can be in it for you.", "Use this window instead"],
    declined: [`${first} can’t let you in just now`, `${first} has seen that you are here. You can knock again until ${until}, or call the practice.`, "Knock again"],
    removed: [`${first} has closed the room for you`, "You cannot come back by yourself. If that is a mistake, call the practice."],
    ended: isTherapist
      ? ["You ended this session", open ? `You can open the room again until ${until}.` : "The room’s time is over."]
      : ["Your session has ended", open ? `If ${first} opens the room again, you can come back until ${until}.` : "", "Back to the waiting room"],
    over: [isTherapist ? "The session has ended" : "Your session has ended", "The room’s time is over, so it closed by itself."],
    cancelled: ["This session was cancelled", "Its room is closed. Nothing that was said is kept here."],
    early: ["This session was moved", "Its room opens later. The new time stands on your page."],
    late: ["The room is closed", `It was open until ${until}.`],
    not_video: ["This session has no video room any more", "How you meet now stands on your page."],
    taken: ["Somebody is here in your place", "They came with a log-in of their own. Once they have left, you can come in. If that is not right, call the practice.", "Try again"],
    "signed-out": ["You are logged out", "Log in again, and the session is where you left it.", "Log in"],
    gone: ["This room is not open to you any more", "Your page says what is booked."],
  };
  const [title, words, back = ""] = endings[reason] ?? endings.gone;
  return { title, words, back };
}

/** Draws the view. `again`: the server has not said that there is no way back; `wasIn`: the call had
    begun for them; `after` is the address of what comes next. */
export function showEnding(reason, { again, wasIn, closing, first, isTherapist, after, goBack }) {
  const why = reason === "late" && wasIn ? "over" : reason;
  const open = again && closing.isOpen;
  const { title, words, back: button } = endingFor(why, { first, isTherapist, until: closing.until, open });
  byId("over-title").textContent = title;
  byId("over-words").textContent = words;
  byId("over-words").hidden = !words;
  const reopen = byId("over-reopen");
  if (reopen) reopen.hidden = why !== "ended" || !open;
  const back = byId("over-again");
  back.textContent = button;
  back.hidden = !button || (!open && why !== "signed-out") || (why === "ended" && isTherapist);
  back.onclick = () => (why === "signed-out" ? location.reload() : goBack());
  byId("over-after").replaceChildren();
  if (FOLLOWED.has(why)) fetchAfter(after);
}

/** Where the line is down, or the sign-in has ended, there is simply nothing more to read. */
async function fetchAfter(after) {
  const answer = await fetch(after, { headers: { "HX-Request": "true" }, redirect: "manual" }).catch(() => null);
  if (answer?.ok) byId("over-after").innerHTML = await answer.text();
}

// -- the room's time -------------------------------------------------------------------------------

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
