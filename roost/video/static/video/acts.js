// What the therapist asks of the server, and what is said where it could not be done.

const SHOWN = 60000;

/** `say` sends a message and soon a ping, and is false while the line is down; `people` are those of the room
    as last told. Returns { act(message), answered, look }: look again once there is news of the people. A `cid`
    of "" is that of somebody who has gone. */
export function startActs({ box, say, people }) {
  let timer = 0, asked = null, isUnsure = false;

  function show(words) {
    clearTimeout(timer);
    box.hidden = !words;
    box.textContent = words;
    if (words) timer = setTimeout(show, SHOWN, "");
  }

  return {
    act(message) {
      if (message.cid === "") return show("They had gone by then, so that was not done.");
      // Nothing is kept for later: who is meant may have gone by then.
      const isSaid = say(message);
      isUnsure = isSaid;
      asked = isSaid ? people().find((person) => person.cid === message.cid) : null;
      show(isSaid ? "" : "Your line was down, so that was not done. Press again once it is back.");
    },
    /** The line has answered a ping, or has been given up: what was said to it before may be lost. */
    answered(isAlive) {
      if (isUnsure && !isAlive) show("Your line dropped just then. If that was not done, press again.");
      isUnsure = false;
    },
    /** Whoever loads the page again is somebody else to the server, and was not meant. */
    look() {
      const now = asked && people().find((person) => person.id === asked.id);
      if (now && now.cid !== asked.cid) show(`${now.client ?? now.name} came in anew just then, so that was not done. Press again.`);
      asked = null;
    },
  };
}
