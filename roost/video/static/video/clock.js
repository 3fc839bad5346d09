// What time it is for the session: the countdown of the waiting room and the therapist's timer. When
// the room closes is not for this clock to say: ending.js.

const ahead = Date.parse(document.getElementById("main")?.dataset.now) - Date.now() || 0;

/** The time as the server has it, in milliseconds: a device's own clock may be an hour off. */
export const now = () => Date.now() + ahead;

const EVERY = 5000, MINUTE = 60000, WARN_BEFORE = 5 * MINUTE;

const say = (minutes) => `${minutes} minute${minutes === 1 ? "" : "s"}`;
const number = (text) => Object.assign(document.createElement("b"), { className: "num", textContent: text });

/** How the session's time stands, for the therapist: { words, isSoon }. Times in milliseconds. */
export function timerFor(moment, { starts, ends }) {
  if (moment < starts) return { words: `starts in ${say(Math.ceil((starts - moment) / MINUTE))}`, isSoon: false };
  const left = ends - moment;
  if (left <= 0) return { words: `${say(Math.floor(-left / MINUTE))} over`, isSoon: true };
  return { words: `${say(Math.ceil(left / MINUTE))} left`, isSoon: left <= WARN_BEFORE };
}

/** Draws what the clock says, every five seconds. `shown` names the view. Returns a function that
    draws at once. */
export function startClock({ times, shown, timer, startWords, waitingTitle }) {
  function drawWaiting(moment) {
    const minutes = Math.ceil((times.starts - moment) / MINUTE);
    startWords.replaceChildren(minutes > 0 ? "starts at " : "started at ", number(startWords.dataset.at));
    if (minutes > 0) startWords.append(", in ", number(say(minutes)));
    const head = minutes > 0 ? waitingTitle.dataset.early : waitingTitle.dataset.due;
    if (waitingTitle.textContent !== head) waitingTitle.textContent = head;
  }

  function tick() {
    const moment = now();
    if (shown() === "waiting") drawWaiting(moment);
    if (shown() !== "call") return;
    if (timer) {
      const { words, isSoon } = timerFor(moment, times);
      if (timer.textContent !== words) timer.textContent = words;
      timer.classList.toggle("timer-soon", isSoon);
    }
  }
  setInterval(tick, EVERY);
  return tick;
}
