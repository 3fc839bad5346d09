// How good a line is, in figures and in words, and what is sent over it. Pure: no page, no network.

const BAD_LOSS = 0.08, WEAK_LOSS = 0.03, SLOW = 0.5, VERY_SLOW = 1;
// Samples in a row (two seconds each) before a step down, and up.
const BAD_TIMES = 3, GOOD_TIMES = 8;

/** The picture goes step by step: fewer bits, fewer pixels, none. The sound never does. */
export const STOPPED = 3;
const SHARES = [1, 0.4, 0.2], SCALES = [1, 1, 2];
// By how many others the picture goes to: each of them is sent one of its own.
const BUDGETS = { 1: { kbps: 1200, scale: 1 }, 2: { kbps: 600, scale: 1 }, 3: { kbps: 300, scale: 2 } };

export const START = Object.freeze({ rung: 0, bad: 0, good: 0 });

/** Where a line stands on the ladder after one more sample. `loss` is the share of what was sent
    that did not arrive, or null where nothing is known. */
export function climb({ rung, bad, good }, loss) {
  if (loss === null) return { rung, bad, good };
  if (loss >= BAD_LOSS) return bad + 1 < BAD_TIMES ? { rung, bad: bad + 1, good: 0 } : { rung: Math.min(rung + 1, STOPPED), bad: 0, good: 0 };
  if (loss >= WEAK_LOSS) return { rung, bad: 0, good: 0 };
  return good + 1 < GOOD_TIMES ? { rung, bad: 0, good: good + 1 } : { rung: Math.max(rung - 1, 0), bad: 0, good: 0 };
}

/** What to send of the picture: { active, kbps, scale }. A screen keeps its pixels as long as it goes at all. */
export function pictureFor({ rung, others, isScreen, isWanted }) {
  const { kbps, scale } = BUDGETS[Math.min(Math.max(others, 1), 3)];
  if (rung >= STOPPED || !isWanted) return { active: false, kbps, scale };
  return { active: true, kbps: kbps * SHARES[rung] * (isScreen ? 2 : 1), scale: isScreen ? 1 : scale * SCALES[rung] };
}

/** How a line does: { level: "good", "weak" or "bad", reason: "", "loss" or "slow", loss, trip }. */
export function judge({ lossIn, lossOut, trip }) {
  const loss = Math.max(lossIn ?? 0, lossOut ?? 0);
  if (loss >= BAD_LOSS) return { level: "bad", reason: "loss", loss, trip };
  if (trip >= VERY_SLOW) return { level: "bad", reason: "slow", loss, trip };
  if (loss >= WEAK_LOSS) return { level: "weak", reason: "loss", loss, trip };
  if (trip >= SLOW) return { level: "weak", reason: "slow", loss, trip };
  return { level: "good", reason: "", loss, trip };
}

/** Why, as somebody says it. */
export function why({ reason, loss, trip }) {
  if (reason === "loss") return `${Math.round(loss * 100)} % of it gets lost`;
  if (reason === "slow") return `it takes ${trip.toFixed(1)} s there and back`;
  return "";
}

/** One sentence on all lines of a call. `lines` are { name, about, line }, one for each other person. */
export function sayLines(lines) {
  const known = lines.filter(({ line }) => line);
  if (!known.length) return "";
  const weak = known.filter(({ line }) => line.level !== "good");
  if (!weak.length) {
    const smaller = known.find(({ about }) => about.rung > 0);
    return smaller ? `your line was weak for ${smaller.name}, and gets well again` : "line is good";
  }
  const [{ name, line, climb: { rung } }] = weak;
  if (weak.length === known.length && known.length > 1) return `your line is weak: ${why(line)}`;
  const done = rung >= STOPPED ? `, so ${name} only hears you for now` : rung > 0 ? `, so ${name} sees you smaller for now` : "";
  return `${known.length > 1 ? `${name}’s line` : `the line to ${name}`} is weak: ${why(line)}${done}`;
}
