// How good a line is, in words, and what is sent over it. Pure: no page, no network.

const BAD_LOSS = 0.08, WEAK_LOSS = 0.03, SLOW = 0.5, VERY_SLOW = 1;
// Samples in a row (two seconds each) before a step down, up, and up to the best picture.
const BAD_TIMES = 3, GOOD_TIMES = 8, BEST_TIMES = 5;
// Each time the best was too much, it is tried again after twice as long, at most 16 times.
const MOST_TRIES = 4;
const ROOM_FOR_BEST = 1500;

/** The picture goes step by step: fewer bits, fewer pixels, none. The sound never does. It starts one
    step below the best. */
export const BEST = -1, STOPPED = 3;
const SHARES = [1, 0.4, 0.2], SCALES = [1, 1, 2];
// By how many others the picture goes to: each of them is sent one of its own.
const BUDGETS = { 1: { kbps: 1200, scale: 1 }, 2: { kbps: 600, scale: 1 }, 3: { kbps: 300, scale: 2 } };
const BEST_KBPS = 2500;

/** What a picture begins with, for a moment: of a quarter of the points, it is made, sent and shown sooner. */
export const FIRST = Object.freeze({ active: true, kbps: BUDGETS[1].kbps, scale: 2 });

export const START = Object.freeze({ rung: 0, bad: 0, good: 0, tries: 0 });

/** Where a line stands on the ladder after one more sample. `loss` is the share of what was sent
    that did not arrive, or null where nothing is known; `isRoomy` whether the line and the machine
    would carry more, `isStrained` whether they carry less than is asked for. Only where there is one
    other person (`isPair`) the picture goes above where it starts. */
export function climb(before, { loss, isRoomy = false, isStrained = false, isPair = false }) {
  const now = { ...before, rung: isPair ? before.rung : Math.max(before.rung, 0) };
  if (loss === null) return now;
  if (loss >= BAD_LOSS || (now.rung === BEST && isStrained)) {
    if (now.bad + 1 < BAD_TIMES) return { ...now, bad: now.bad + 1, good: 0 };
    const tries = now.rung === BEST ? Math.min(now.tries + 1, MOST_TRIES) : now.tries;
    return { rung: Math.min(now.rung + 1, STOPPED), bad: 0, good: 0, tries };
  }
  const isHeld = now.rung === 0 ? !(isPair && isRoomy) : now.rung === BEST;
  if (loss >= WEAK_LOSS || isHeld) return { ...now, bad: 0, good: 0 };
  const wanted = now.rung > 0 ? GOOD_TIMES : BEST_TIMES * 2 ** now.tries;
  return now.good + 1 < wanted ? { ...now, bad: 0, good: now.good + 1 } : { ...now, rung: now.rung - 1, bad: 0, good: 0 };
}

/** Whether a line would carry the best picture. `kbps` is what the browser thinks that it carries, or
    null where it does not say; `limit` what holds the picture back: "none", "cpu", "bandwidth" or "other". */
export function hasRoom({ lossIn, lossOut, trip, kbps, limit }) {
  return judge({ lossIn, lossOut, trip }).level === "good" && !isHeldBack(limit) && (kbps === null || kbps >= ROOM_FOR_BEST);
}

/** Whether the browser sends less than it was asked for, by what it says of the reason. */
export const isHeldBack = (limit) => limit === "cpu" || limit === "bandwidth";

/** Whether the camera is to deliver its best, by where the line to each other stands. While a screen is
    shown, the camera is not. */
export function wantsBest({ rungs, isScreen }) {
  return rungs.length === 1 && rungs[0] === BEST && !isScreen;
}

/** What to send of the picture: { active, kbps, scale }. A screen keeps its pixels as long as it goes at
    all; `isFine` says that the camera delivers its best. */
export function pictureFor({ rung, others, isScreen, isWanted, isFine = false }) {
  const { kbps, scale } = BUDGETS[Math.min(Math.max(others, 1), 3)];
  if (rung >= STOPPED || !isWanted) return { active: false, kbps, scale };
  if (rung === BEST && others <= 1 && isFine && !isScreen) return { active: true, kbps: BEST_KBPS, scale: 1 };
  const step = Math.max(rung, 0);
  return { active: true, kbps: kbps * SHARES[step] * (isScreen ? 2 : 1), scale: isScreen ? 1 : scale * SCALES[step] };
}

/** How a line does: { level: "good", "weak" or "bad", reason: "", "loss" or "slow" }. */
export function judge({ lossIn, lossOut, trip }) {
  const loss = Math.max(lossIn ?? 0, lossOut ?? 0);
  if (loss >= BAD_LOSS) return { level: "bad", reason: "loss" };
  if (trip >= VERY_SLOW) return { level: "bad", reason: "slow" };
  if (loss >= WEAK_LOSS) return { level: "weak", reason: "loss" };
  if (trip >= SLOW) return { level: "weak", reason: "slow" };
  return { level: "good", reason: "" };
}

/** Why a weak line is weak, as somebody says it. */
export function why({ level, reason }) {
  if (reason === "loss") return `a ${level === "bad" ? "lot" : "little"} gets lost on the way`;
  return `everything arrives ${level === "bad" ? "very" : "a bit"} late`;
}

/** One sentence on all lines of a call. `lines` are { name, about, line, climb, isSeen, isShown }, one for each
    other person; `isSeen` says whether a picture would be sent to them if the line were good, `isShown` whether
    one of theirs is wanted here. */
export function sayLines(lines) {
  const known = lines.filter(({ line }) => line);
  if (!known.length) return "";
  const weak = known.filter(({ line }) => line.level !== "good");
  if (!weak.length) {
    const blind = known.find(({ climb: { rung }, isSeen }) => isSeen && rung >= STOPPED);
    if (blind) return `line is good again: ${blind.name} sees you soon`;
    const smaller = known.find(({ about: { rung }, isShown }) => isShown && rung > 0 && rung < STOPPED);
    return smaller ? `the line to ${smaller.name} was weak: ${smaller.name}’s picture is smaller for a moment` : "line is good";
  }
  const [{ name, line, climb: { rung } }] = weak;
  if (weak.length === known.length && known.length > 1) return `your line is weak: ${why(line)}`;
  const done = rung >= STOPPED ? `, so ${name} only hears you for now` : rung > 0 ? `, so ${name} sees you smaller for now` : "";
  const whose = known.length > 1 ? `${name}’s line` : `the line to ${name}`;
  return `${whose} is weak: ${why(line)}${done}`;
}
