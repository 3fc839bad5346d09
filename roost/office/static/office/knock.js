// Tells the therapist who waits, on every page of the office: in the head of the page, in the
// banner where there is one, in the tab's title, and by a chime, as soon as the page may make a sound. In a
// room (`data-beside`) it stays quiet while somebody is in the call (`data-quiet`, set by the room).

const FIRST_WAIT = 500, LONGEST_WAIT = 10000, PING_EVERY = 20000, PONG_WITHIN = 8000, LONGEST_PRESS = 1000, CLICK_WITHIN = 50, MOST_AT_ONCE = 50;
const slot = document.getElementById("knock");
const banner = document.getElementById("arrivals");
const title = document.title;
const isRoom = "beside" in slot.dataset;
const slots = [slot, ...["knock-check", "knock-over"].map((id) => document.getElementById(id))].filter(Boolean);
// In a room the server has not written down who waits: the first news of them is no arrival.
let known = isRoom ? null : new Set([...slot.querySelectorAll("[data-person]")].map((link) => link.dataset.person));
let drawn = slot.innerHTML.trim();
let wait = FIRST_WAIT, socket = null, pong = 0, sound = null, isDue = false, isPressing = false, kept = null;

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const mine = socket = new WebSocket(`${scheme}://${location.host}${slot.dataset.socket}`);
  const ping = setInterval(() => {
    if (mine.readyState !== WebSocket.OPEN) return;
    mine.send('{"type":"ping"}');
    pong = setTimeout(() => mine.close(), PONG_WITHIN);
  }, PING_EVERY);
  mine.addEventListener("message", ({ data }) => {
    wait = FIRST_WAIT;
    const message = JSON.parse(data);
    if (message.type === "pong") clearTimeout(pong);
    else if (message.type === "waiting" && isPressing) kept = message;
    else if (message.type === "waiting") draw(message);
  });
  mine.addEventListener("close", ({ code }) => {
    clearInterval(ping);
    clearTimeout(pong);
    // Signed out, or not staff: the next page says so.
    if (code === 4401 || code === 4404) return;
    setTimeout(connect, wait * (0.7 + 0.6 * Math.random()));
    wait = Math.min(wait * 2, LONGEST_WAIT);
  });
}

function draw({ ids, untold, knock, arrivals }) {
  const fresh = known && ids.filter((id) => !known.has(id));
  known = new Set(ids);
  if (drawn !== knock.trim()) for (const each of slots) write(each, knock);
  drawn = knock.trim();
  if (banner) write(banner, arrivals);
  mark();
  if (isRoom) standBeside();
  sayShown(untold);
  if (fresh?.length) chimeWhenAllowed();
}

/** Tells the server whom this page names: they read that the therapist knows. */
function sayShown(untold) {
  const shown = untold.filter((id) => slots.some((each) => each.querySelector(`[data-person="${id}"]`)));
  while (shown.length && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: "shown", ids: shown.splice(0, MOST_AT_ONCE) }));
}

// Nothing moves away from under a press: the banner would take its place. Of some presses (a menu, a
// list that opens) no end is told, so each is over after a second.
let pressed = 0;
addEventListener("pointerdown", () => { isPressing = true; clearTimeout(pressed); pressed = setTimeout(release, LONGEST_PRESS); });
for (const event of ["pointerup", "pointercancel", "contextmenu", "blur"]) addEventListener(event, () => setTimeout(release, CLICK_WITHIN));

function release() {
  isPressing = false;
  if (kept) draw(kept);
  kept = null;
}

/** Writes what comes from the server's own templates, which escape every name. The focus stays with
    the person it was on; where they are gone, it goes to the page. */
function write(box, text) {
  if (box.innerHTML.trim() === text.trim()) return;
  const held = box.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  box.innerHTML = text;
  if (held === null) return;
  const same = [...box.querySelectorAll("a")].find((link) => link.getAttribute("href") === held);
  const main = document.getElementById("main");
  if (!same) main.tabIndex = -1;
  (same ?? main).focus({ preventScroll: true });
}

/** In a call its own list says who waits for it; another room opens beside it, and drops nobody. */
function standBeside() {
  for (const link of slot.querySelectorAll("a.knock:not([target])")) {
    if (new URL(link.href).pathname === location.pathname) { link.remove(); continue; }
    link.target = "_blank";
    link.append(Object.assign(document.createElement("span"), { className: "vh", textContent: ", in a new window" }));
  }
}

/** The tab says how many wait, for this room too. */
function mark() {
  const count = new DOMParser().parseFromString(drawn, "text/html").querySelectorAll("a.knock").length;
  document.title = count ? `(${count}) ${title}` : title;
}

function openSound() {
  const opened = new AudioContext();
  opened.addEventListener("statechange", chimeIfDue);
  return opened;
}
function allowSound() {
  sound ??= openSound();
  if (sound.state !== "running") sound.resume().catch(() => { /* not before a press */ });
}
for (const event of ["pointerdown", "keydown", "pointerup"]) addEventListener(event, allowSound);

/** Where the browser wants a press on the page first, it chimes with that press, if somebody waits still. */
function chimeWhenAllowed() {
  isDue = true;
  allowSound();
  chimeIfDue();
}
function chimeIfDue() {
  if (!isDue || sound.state !== "running") return;
  isDue = false;
  if (known.size && !("quiet" in slot.dataset)) chime();
}

/** Two soft notes, like a door's bell in another room. */
function chime() {
  [[659.25, 0], [523.25, 0.28]].forEach(([pitch, after]) => {
    const start = sound.currentTime + after;
    const tone = new OscillatorNode(sound, { frequency: pitch });
    const gain = new GainNode(sound, { gain: 0 });
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(0.16, start + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.0008, start + 0.9);
    tone.connect(gain).connect(sound.destination);
    tone.start(start);
    tone.stop(start + 1);
  });
}

setInterval(() => {
  for (const each of slots.flatMap((some) => [...some.querySelectorAll("[data-since]")])) {
    const minutes = Math.max(0, Math.floor((Date.now() - Date.parse(each.dataset.since)) / 60000));
    const words = minutes ? `${minutes} min` : "just now";
    if (each.textContent !== words) each.textContent = words;
  }
}, 15000);

mark();
connect();
