// What time it is for the session: the countdown of the waiting room, the therapist's timer, and the
// warnings before the end.

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

/** What is said of the room's end, or "". */
export function warningFor(moment, { closes, lasts }) {
  const isNear = (end) => end > moment && end - moment <= WARN_BEFORE;
  if (isNear(closes)) return "The room closes to newcomers in a few minutes. The call itself may go on for an hour.";
  return isNear(lasts) ? "The call ends in a few minutes: the room’s time is over." : "";
}

/** Draws what the clock says, every five seconds. `shown` names the view, `isInCall` whether the
    line stands, `warn` says a warning. Returns a function that draws at once. */
export function startClock({ times, shown, isInCall, warn, timer, startWords, waitingTitle }) {
  function drawWaiting(moment) {
    const minutes = Math.ceil((times.starts - moment) / MINUTE);
    startWords.replaceChildren(minutes > 0 ? "starts at " : "started at ", number(startWords.dataset.at));
    if (minutes > 0) startWords.append(", in ", number(say(minutes)));
    const head = minutes > 0 ? waitingTitle.dataset.early : waitingTitle.dataset.due;
    if (waitingTitle.textContent !== head) waitingTitle.textContent = head;
  }

  function tick() {
    const moment = Date.now();
    if (shown() === "waiting") drawWaiting(moment);
    if (shown() !== "call") return;
    if (timer) {
      const { words, isSoon } = timerFor(moment, times);
      if (timer.textContent !== words) timer.textContent = words;
      timer.classList.toggle("timer-soon", isSoon);
    }
    const warning = isInCall() ? warningFor(moment, times) : "";
    if (warning) warn(warning);
  }
  setInterval(tick, EVERY);
  return tick;
}
