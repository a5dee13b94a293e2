// Every word of the page's first sight: a translation replaces this file, strings.doors.js, strings.later.js and
// admin/strings.js, and nothing else.
// Left out: a plural engine; another language brings its own functions.

const locale = "en";
export const numbers = new Intl.NumberFormat(locale);
export const many = (n, one, more) => `${numbers.format(n)} ${n === 1 ? one : more}`;

export const say = {
  // Doors
  brand: "Roomcast",
  login: "Login",
  password: "Password",
  showPassword: "Show letters",
  hidePassword: "Hide letters",
  haveInvite: "I have an invite",
  makeAccount: "Make an account",
  whoToAsk: (contact) =>
    contact
      ? `Sign in below. If you have no account: ${contact}`
      : "Sign in below. If you have no account, ask someone inside for an invite link.",
  whoToAskOpen: (contact) => ["Sign in below, or make an account: this place is open.", contact].join(" ").trim(),
  enterLogin: "Enter your login.",
  enterPassword: "Enter your password.",
  wrong: "Login or password is not right.",
  tooMany: (ms) => `Too many tries. Wait ${wait(ms)}, or ask an admin for a sign-in link.`,
  tooFast: "Slow down a little, and try again.",
  tryAgain: "You can try again now.",
  busy: "The server is busy just now. Try again in a moment.",
  full: "The server is out of space. Tell an admin.",
  fault: (ref) => `That did not go through. Try again, or tell an admin${ref ? ` (${ref})` : ""}.`,
  banned: "This account has been closed by an admin.",
  unreachable: "The server cannot be reached. Try again in a moment.",
  invalidField: "That is not accepted here.",
  ended: {
    expired: "You were signed out: the session expired. Your text is kept.",
    "signed-out": "You were signed out on another device or tab. Your text is kept.",
    password: "You were signed out: the password was changed on another device. Your text is kept.",
    revoked: "You were signed out by an admin. Your text is kept.",
    other: "You were signed out. Your text is kept.",
  },
  removedTitle: "You have left this place",
  removedText: "An admin removed this account. Nothing more is sent or received here.",
  bannedTitle: "This account is closed",
  bannedText: "An admin has closed it. Nothing more is sent or received here.",
  otherAccount: "Sign in with another account",

  // Rooms
  skipToMessages: "Skip to messages",
  skipToComposer: "Skip to writing",
  browse: "All rooms",
  search: "Search",
  newRoom: "New room",
  invite: "Invite",
  noRooms: "No rooms yet.",
  cancel: "Cancel",
  unreadIn: (n) => many(n, "unread message", "unread messages"),
  hasDraft: "draft",
  hasPending: "has unsent messages",
  backToRooms: "Rooms",
  backUnread: (n) => `Rooms, ${many(n, "unread message", "unread messages")} elsewhere`,
  more: "More about this room",
  pickRoom: "Pick a room",
  pickRoomText: "The list is on the left; All rooms shows what else there is.",

  // People
  people: "People",
  peopleButton: (here) => `People, ${here} here now`,
  online: "online",
  offline: "offline",
  roles: { admin: "admin", moderator: "moderator", mod: "moderator" },
  someone: "Someone who left",

  // Me
  settings: "settings",

  // Messages
  writeTo: (room) => `Write to ${room}…`,
  send: "Send",
  newSince: (n, time) => `${numbers.format(n)} new since ${time}`,
  markRead: "Mark as read",
  latest: "Jump to latest",
  newer: (n) => `${numbers.format(n)} newer`,
  roomStart: (room) => `Here ${room} begins.`,
  today: "Today",
  yesterday: "Yesterday",
  edited: "edited",
  // Names come as elements and stand among the words: a name may be written from right to left.
  deletedBy: (name) => [name, " deleted a message"],
  deletedFor: (name, author) => [name, " deleted a message of ", author],
  deletedRun: (n) => [many(n, "message was", "messages were"), " deleted"],
  deletedRunBy: (name, n) => [name, ` deleted ${numbers.format(n)} messages`],
  isTyping: (names) =>
    names.length === 1
      ? [names[0], " is typing"]
      : names.length === 2
        ? [names[0], " and ", names[1], " are typing"]
        : ["Several people are typing"],
  deleted: "Deleted",
  undo: "Undo",
  save: "Save",
  waiting: "Waits for connection",
  queued: "Waits its turn",
  retrying: "No answer yet, trying again",
  slowDown: (s) => `Slow down a little. Sends in ${s} s.`,
  paused: {
    full: "The server is out of space. Your text is safe here; tell an admin.",
    busy: "The server is busy just now. It goes out in a moment.",
  },
  retry: "Retry",
  edit: "Edit",
  delete: "Delete",
  failed: {
    forbidden: "This room is private, or it is gone.",
    not_found: "This room is private, or it is gone.",
    too_long: "That is too long for one message.",
    invalid: "The server does not accept this text.",
    old: "Not sent for a day. Send it now?",
    other: "That did not go through. It is kept here; press Retry.",
  },
  counter: (n, max) => `${numbers.format(n)} of ${numbers.format(max)}`,
  tooLong: (n, max) => `${numbers.format(n)} of ${numbers.format(max)} characters. Shorten it.`,
  emptyRoom: "Nothing here yet. Say the first word.",

  // Invite card
  inviteCardTitle: "Nobody here but you",
  inviteCardText: "Send this link to the people you want here.",
  inviteUses: (n, when) =>
    `Works for ${n === 1 ? "one person" : `${numbers.format(n)} people`}, until ${when}.`,

  // Rooms of several kinds, and what they tell
  rooms: "Rooms",
  direct: "Direct",
  filter: "Find a room or a person",
  noneFits: "None fits.",
  isPrivate: "private",
  goneFrom: (room) => `You are no longer in ${room}.`,
  addedTo: (room) => `You are in ${room} now.`,
  calledIn: (n) => `${many(n, "unread message", "unread messages")}, you are mentioned`,
  notes: "Notes to myself",
  notesTopic: "Nobody else reads this",
  hasLeft: "has left",
  closed: (name) => `${name} has left. You can read what was said.`,
  directStart: (name) => `You and ${name}, from the first word.`,
  notesStart: "From the first note.",

  // The strip
  connecting: "Connecting…",
  lost: (s) => [`Connection lost. Trying again`, s > 0 ? ` in ${s} s` : ``, `. `],
  keepWriting: "You can keep writing.",
  tryNow: "Try now",
  offlineStrip: "You are offline. Messages will go out when you are back.",
  restarting: "The server is restarting, back in a moment.",
  silent: "The server does not answer. You can keep writing.",
  catchingUp: (n) => (n > 0 ? `Catching up… ${many(n, "message", "messages")}` : "Catching up…"),
  newVersion: "A new version is ready.",
  reload: "Reload",
  muted: (until) => (until ? `You are muted here until ${soon(until)}.` : "You are muted here."),
  unmuted: "You may speak again.",
  partMissing: "That part of the page could not be loaded. Try again in a moment.",

  // Spoken only
  spokenMessage: (name, text) => `${name}: ${text}`,
  spokenBurst: (n, room) => `${many(n, "new message", "new messages")} in ${room}`,
  spokenSent: "Sent",
  spokenFailed: (why) => `Not sent. ${why}`,
  spokenOlder: (n) => `${many(n, "older message", "older messages")} loaded`,
};

function wait(ms) {
  const seconds = Math.max(1, Math.ceil((ms ?? 120_000) / 1000));
  return seconds < 90
    ? many(seconds, "second", "seconds")
    : many(Math.ceil(seconds / 60), "minute", "minutes");
}

const times = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const days = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const years = new Intl.DateTimeFormat(undefined, {
  weekday: "long",
  day: "numeric",
  month: "long",
  year: "numeric",
});
const moments = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

const collator = new Intl.Collator();

/** The order of names, as the reader's language has it. */
export const byName = (a, b) => collator.compare(a.name, b.name);

/** The hour and minute, as the reader's system writes them, narrow enough for the margin: "2:05pm". */
export const clock = (at) => times.format(at).replace(/\s?([AP])M$/, (_, half) => `${half.toLowerCase()}m`);

/** Day, month and hour, for things that end. */
export const moment = (at) => moments.format(at);

/** The hour of what is today, the day of what is not. */
export const soon = (at) => (dayOf(at) === dayOf(Date.now()) ? clock : moment)(at);

/** Why a message was not sent. */
export function whyFailed({ code, until, ref }) {
  if (code === "muted") return say.muted(until);
  const words = say.failed[code] ?? say.failed.other;
  return ref ? `${words} (${ref})` : words;
}

/** A day's name as seen from `now`. */
export function dayName(at, now = Date.now()) {
  const day = dayOf(at);
  if (day === dayOf(now)) return say.today;
  if (day === dayOf(now - 86_400_000)) return say.yesterday;
  return (new Date(at).getFullYear() === new Date(now).getFullYear() ? days : years).format(at);
}

/** A number that is the same for two moments of one day in the reader's time zone. */
export function dayOf(at) {
  const date = new Date(at);
  return date.getFullYear() * 10_000 + date.getMonth() * 100 + date.getDate();
}
