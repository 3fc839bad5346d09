// What a rehearsal comes to, in words. Nothing here touches a page or a device.

const list = (names) => (names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`);
const PARTS = { camera: "camera", microphone: "microphone", speaker: "sound", connection: "connection" };

/**
 * `found` says by part "" (not known yet), "works" or the cause of a trouble; `way` is "relay" or
 * "direct"; `ready` is what the reader is ready for. Returns { state, title, text }: state is
 * "pending", "almost", "works" or "trouble".
 */
export function resultOf(found, { way, ready }) {
  const bad = Object.keys(PARTS).filter((part) => found[part] && found[part] !== "works");
  if (bad.length) {
    const names = bad.map((part) => `the ${PARTS[part]}`);
    return { state: "trouble", title: "Not everything works yet", text: `There is trouble with ${list(names)}.` };
  }
  if (["camera", "microphone", "connection"].some((part) => !found[part])) {
    const text = found.connection && !found.microphone ? "Say a few words, so that we hear you." : "This takes a few seconds.";
    return { state: "pending", title: "Trying it out", text };
  }
  if (!found.speaker) return { state: "almost", title: "One thing is left", text: "Press Play, and say whether you hear it." };
  return way === "relay"
    ? { state: "works", title: "Everything works", text: ready }
    : { state: "works", title: "Camera and sound work", text: ready };
}

/** What the way that was tried shows, and what it does not. */
export function wayWords(way, connection) {
  if (connection === "blocked") return "Your picture and sound did not come back.";
  if (connection === "unknown") return "Not tried.";
  if (!connection) return "Sending your picture and sound, and waiting for them to come back.";
  return way === "relay"
    ? "Your picture and sound went out to the practice’s relay and came back."
    : "Your browser can send and receive. The rest shows when the session starts.";
}
