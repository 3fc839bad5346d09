// Watches each line of a call, and sends over it what it can carry.

import { climb, hasRoom, isHeldBack, judge, pictureFor, STOPPED, wantsBest } from "./ladder.js";

const EVERY = 2000, PATIENCE = 15000;

/** The figures of one connection since the last look. */
async function sample(peer) {
  const before = peer.counts ?? { received: 0, lost: 0, pc: null };
  let received = 0, lost = 0, kbps = null, limit = "none";
  const lossOut = { audio: null, video: null }, trips = { audio: 0, video: 0 };
  const reports = await peer.pc.getStats();
  for (const report of reports.values()) {
    if (report.type === "inbound-rtp") {
      received += report.packetsReceived ?? 0;
      lost += Math.max(report.packetsLost ?? 0, 0);
    } else if (report.type === "remote-inbound-rtp" && report.kind in lossOut) {
      lossOut[report.kind] = report.fractionLost ?? null;
      trips[report.kind] = report.roundTripTime ?? 0;
    } else if (report.type === "outbound-rtp" && report.kind === "video") {
      limit = report.qualityLimitationReason ?? "none";
    } else if (report.type === "transport") {
      const bits = reports.get(report.selectedCandidatePairId)?.availableOutgoingBitrate;
      if (bits) kbps = bits / 1000;
    }
  }
  peer.counts = { received, lost, pc: peer.pc };
  // A new connection counts from nothing.
  const isNew = before.pc !== peer.pc;
  const came = isNew ? received : received - before.received, missed = isNew ? lost : lost - before.lost;
  const all = came + Math.max(missed, 0);
  // A picture that is not sent says nothing of the line; its last figures would stand for ever.
  const isSent = peer.sendsPicture && peer.climb.rung < STOPPED;
  const lossIn = all > 20 ? Math.max(missed, 0) / all : null;
  // Where no sound goes out either, the other way has to speak for both: else the picture would never come back.
  const out = isSent ? Math.max(lossOut.video ?? 0, lossOut.audio ?? 0) : lossOut.audio ?? (peer.climb.rung < STOPPED ? null : lossIn);
  const trip = isSent ? Math.max(trips.video, trips.audio) : trips.audio;
  return { lossIn, lossOut: out, trip, kbps, limit };
}

/** Looks at every line every two seconds. `changed` is told of a peer whose line says something new. */
export function watchQuality({ peers, outgoing, changed }) {
  const connected = () => [...peers.values()].filter((each) => each.isConnected);

  async function look(peer) {
    if (!peer.isConnected) {
      const wasKnown = peer.line;
      peer.line = null;
      if (wasKnown) changed(peer);
      return;
    }
    const figures = await sample(peer);
    const { rung } = peer.climb, level = peer.line?.level, reason = peer.line?.reason;
    peer.climb = climb(peer.climb, {
      loss: figures.lossOut, isPair: connected().length === 1,
      isRoomy: peer.sendsPicture && !outgoing.screen && hasRoom(figures), isStrained: isHeldBack(figures.limit),
    });
    peer.line = judge(figures);
    await fit(peer);
    if (peer.climb.rung !== rung) peer.tellAbout();
    if (peer.climb.rung !== rung || peer.line.level !== level || peer.line.reason !== reason) changed(peer);
  }

  /** Makes what is sent to one person fit their line, their wish, and how many others there are, once a
      first picture is through. */
  async function fit(peer) {
    if (!peer.isSettled) return;
    const rungs = connected().map((each) => each.climb.rung), isScreen = Boolean(outgoing.screen);
    await outgoing.useFine(wantsBest({ rungs, isScreen }));
    await peer.sendPicture(pictureFor({
      rung: peer.climb.rung, others: rungs.length, isScreen, isWanted: !peer.about.audioOnly, isFine: outgoing.isFine,
    }));
  }

  setInterval(() => { for (const peer of peers.values()) look(peer).catch(() => { /* closed meanwhile */ }); }, EVERY);
  return { fit };
}

/** Shows what has been agreed for when video fails, once a line of the call has not stood for a while.
    `changed` is told when that comes or goes. */
export function watchFallback({ peers, box, changed }) {
  const since = new Map();
  setInterval(() => {
    const moment = Date.now();
    for (const who of since.keys()) if (!peers.has(who)) since.delete(who);
    for (const [who, peer] of peers) {
      if (peer.isConnected) since.delete(who);
      else if (!since.has(who)) since.set(who, moment);
    }
    const isHidden = ![...since.values()].some((start) => moment - start >= PATIENCE);
    if (box.hidden !== isHidden) { box.hidden = isHidden; changed(); }
  }, EVERY);
}
