// Tells the therapist who waits, on every page of the office: in the head of the page, in the
// banner where there is one, in the tab's title, and by a chime once the page may make a sound.

const FIRST_WAIT = 500, LONGEST_WAIT = 10000, PING_EVERY = 20000, PONG_WITHIN = 8000;
const slot = document.getElementById("knock");
const banner = document.getElementById("arrivals");
const title = document.title;
const isQuiet = "quiet" in slot.dataset;
let known = new Set([...slot.querySelectorAll("[data-person]")].map((link) => link.dataset.person));
let wait = FIRST_WAIT, socket = null, pong = 0, sound = null;

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

function draw({ ids, knock, arrivals }) {
  const fresh = ids.filter((id) => !known.has(id));
  known = new Set(ids);
  // Written by the server's own templates, which escape every name.
  if (slot.innerHTML.trim() !== knock.trim()) slot.innerHTML = knock;
  if (banner && banner.innerHTML.trim() !== arrivals.trim()) banner.innerHTML = arrivals;
  leaveOutOwn();
  mark();
  if (fresh.length && !isQuiet) chime();
}

/** In a room, only who waits for another one is news. */
function leaveOutOwn() {
  for (const link of slot.querySelectorAll("a.knock")) if (new URL(link.href).pathname === location.pathname) link.remove();
}

function mark() {
  const count = slot.querySelectorAll("a.knock").length;
  document.title = count ? `(${count}) ${title}` : title;
}

function allowSound() {
  sound ??= new AudioContext();
  sound.resume();
}
for (const event of ["pointerdown", "keydown"]) addEventListener(event, allowSound, { once: true });

/** Two soft notes, like a door's bell in another room. */
function chime() {
  if (sound?.state !== "running") return;
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
  for (const each of slot.querySelectorAll("[data-since]")) {
    const minutes = Math.max(0, Math.floor((Date.now() - Date.parse(each.dataset.since)) / 60000));
    const words = minutes ? `${minutes} min` : "just now";
    if (each.textContent !== words) each.textContent = words;
  }
}, 15000);

leaveOutOwn();
mark();
connect();
