// What this browser remembers of the room, for as long as its tab lives.

// Who is joining here is part of the address.
const key = `room ${location.pathname}${location.search}`;

export const memory = {
  read() { try { return JSON.parse(sessionStorage.getItem(key)) ?? {}; } catch { return {}; } },
  write(values) { try { sessionStorage.setItem(key, JSON.stringify({ ...this.read(), ...values })); } catch { /* a private window */ } },
};
