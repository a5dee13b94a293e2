// What the browser keeps for us: drafts, unsent messages, the last room; JSON under one prefix.
// It never throws: a full or forbidden storage answers false, and the page works on in memory.
// Left out: IndexedDB; all this is small and must be written before the next line runs.

const PREFIX = "roomcast.";

export const storage = {
  get(name) {
    try {
      return JSON.parse(localStorage.getItem(PREFIX + name));
    } catch {
      return null;
    }
  },

  put(name, value) {
    try {
      localStorage.setItem(PREFIX + name, JSON.stringify(value));
      return true;
    } catch {
      return false;
    }
  },

  has(name) {
    try {
      return localStorage.getItem(PREFIX + name) !== null;
    } catch {
      return false;
    }
  },

  drop(name) {
    try {
      localStorage.removeItem(PREFIX + name);
    } catch {
      // Then there was nothing, either.
    }
  },

  /** Drops everything whose name begins so. */
  dropAll(start) {
    for (const key of keys(start)) localStorage.removeItem(key);
  },

  values(start) {
    return keys(start).map((key) => this.get(key.slice(PREFIX.length)));
  },

  /** A plain word, as first.js reads the theme. */
  word(name, value) {
    try {
      if (value === undefined) return localStorage.getItem(PREFIX + name);
      localStorage.setItem(PREFIX + name, value);
    } catch {
      // Not kept: the choice holds for this page only.
    }
    return value ?? null;
  },
};

function keys(start) {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX + start));
  } catch {
    return [];
  }
}
