// What the browser remembers of the room, says of its network, and keeps awake.

// Who is joining here is part of the address.
const key = `room ${location.pathname}${location.search}`;

/** What this tab remembers of the room, for as long as it lives. */
export const memory = {
  read() { try { return JSON.parse(sessionStorage.getItem(key)) ?? {}; } catch { return {}; } },
  write(values) { try { sessionStorage.setItem(key, JSON.stringify({ ...this.read(), ...values })); } catch { /* a private window */ } },
};

// One change of the network shows in several ways at once.
const SETTLE = 100;

/** Notices that the machine has come to another network, as a phone does between wireless and
    mobile: `moved` is told once that is there. */
export function watchNetwork(moved) {
  const { connection } = navigator;
  let timer = 0, type = connection?.type;
  const soon = () => { clearTimeout(timer); timer = setTimeout(moved, SETTLE); };
  addEventListener("online", soon);
  // It changes with every estimate of the speed, too: only the kind of network says that it is another.
  connection?.addEventListener?.("change", () => {
    if (connection.type === type) return;
    type = connection.type;
    if (type !== "none") soon();
  });
}

/** Keeps a phone's screen from going dark while somebody waits or talks, where the browser can:
    `isWanted` says whether it is to stay on. Returns a function that looks at that again. */
export function startAwake(isWanted) {
  let lock = null, isAsking = false;

  async function look() {
    if (!isWanted()) { lock?.release().catch(() => { /* gone already */ }); lock = null; return; }
    // The browser takes it away whenever the page is out of sight.
    if (isAsking || document.hidden || !navigator.wakeLock || (lock && !lock.released)) return;
    isAsking = true;
    lock = await navigator.wakeLock.request("screen").catch(() => null); // it saves power
    isAsking = false;
    if (!isWanted()) look();
  }

  document.addEventListener("visibilitychange", look);
  return look;
}
