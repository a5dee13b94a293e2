// Words of the page for admins.
// Left out: what it shares with the chat, which is in strings.js and strings.later.js.

import { gate } from "../strings.doors.js";
import { moment, say, soon } from "../strings.js";

const many = (n, one, more) => `${n} ${n === 1 ? one : more}`;

export const words = {
  title: "Admin",
  sections: {
    now: ["Now", "How the server is doing"],
    people: ["People", "Everybody with an account"],
    rooms: ["Rooms", "All but those of two people"],
    invites: ["Invites", "Links that let somebody in"],
    settings: ["Settings", "Of the whole place"],
    trail: ["Audit log", "What admins and moderators did, for 90 days"],
    connections: ["Connections", "Tabs and programs that are here now"],
  },
  home: "Back to the chat",
  sectionsBack: "Sections",
  notYours: "This page is for admins",
  notYoursText: "You are signed in, and not as one of them.",
  signedOut: "You are signed out",
  signedOutText: "Sign in as an admin, and come back.",
  signIn: "To the door",
  toChat: "To the chat",
  lost: "Connection lost. Trying again.",
  more: "Show more",
  none: "Nothing here.",
  notDone: {
    taken: gate.taken,
    forbidden: "You may not do that.",
    not_found: "That is not there any more.",
    invalid: say.invalidField,
    slow: say.tooFast,
    "last-admin": "There must be an admin left.",
  },

  // Now
  figures: {
    online: ["People here", "online just now"],
    sockets: ["Sockets", "tabs and programs, admins' pages included"],
    rate: ["Messages", "stored, each second"],
    lag: ["Slowest turns", "99 of a hundred were over sooner"],
    memory: ["Memory", "of the process, resident"],
    database: ["Database", "on disk, with its log"],
    rooms: ["Rooms", "those of two people included"],
    waiting: ["Waiting", "bytes on their way to all clients"],
    jobs: ["Jobs", "that a thread has not brought home"],
    up: ["Running", "since the last start"],
  },
  ofAll: (n) => `of ${n}`,
  units: { second: "/s", ms: "ms" },
  worst: (ms) => `worst ${ms} ms`,

  // People
  find: "Find by name or login",
  newAccount: "New account",
  newAccountText: "You make the account; a link lets its owner choose a password.",
  login: "Login",
  name: "Name",
  make: "Make it",
  firstLink: "Link for the first password",
  firstLinkText: (at) => `Works once, until ${moment(at)}. Hand it over yourself.`,
  made: (name) => `${name} has an account.`,
  online: "here",
  muted: (until) => (until ? `muted until ${soon(until)}` : "muted"),
  state: { banned: "banned", left: "removed" },
  noPassword: "no password yet",
  lastSeen: (at) => (at ? `seen ${soon(at)}` : "never signed in"),
  doAbout: (name) => `What to do about ${name}`,
  letBack: "Let back",
  nobody: "Nobody of that name.",

  // Rooms
  kind: { open: "public", private: "private" },
  roomFacts: (members, messages) =>
    `${many(members, "member", "members")} · ${many(messages, "message", "messages")}`,
  general: "everybody is in it",
  archive: "Archive",
  archived: "archived",
  reopen: "Open again",
  archiveSure: (room) => `Archive ${room}?`,
  archiveText: "It is gone from everybody's list, and nobody can write there. Nothing is deleted; you can open it again.",

  // Invites
  newInvite: "New invite",
  inviteText: "Whoever has the link can make an account.",
  uses: "For how many people",
  days: "For how many days",
  inviteFacts: (at) => `works until ${moment(at)}`,
  usesLeft: (n) => (n === 1 ? "one person more" : `${n} people more`),
  kill: "End it",
  killed: "It lets nobody in any more.",
  noInvites: "No invite lets anybody in just now.",
  inviteLink: "Invite link",
  inviteUntil: (n, at) => say.inviteUses(n, moment(at)),

  // Settings
  workspace: "Name of the place",
  signUp: "Who may make an account",
  signUps: {
    invite: ["By invite", "Whoever has a link from inside."],
    open: ["Open", "Whoever opens the page."],
  },
  contact: "Whom to ask for an account",
  contactHint: "Shown to everybody who is signed out. A name and a place are enough.",
  backup: "Backups",
  backupText: "The whole place in one file: beside the database, or to take along. Put one back with `roomcast restore FILE`.",
  backupNow: "Back up now",
  backupFetch: "Download",
  backupMade: (file, bytes) => `${file}, ${Math.ceil(bytes / 1024)} KB.`,
  shell: "The terminal",
  save: "Save",
  saved: "Saved. It holds from now on.",

  // Connections
  since: (at) => `since ${soon(at)}`,
  cut: "Cut",
  cutHint: "Closes the connection; its page comes back by itself.",
  endSession: "End session",
  ended: "Ended.",
  shown: (n, all) => `${n} of ${all} shown.`,
  noConnections: "Nobody is here.",
  transport: { websocket: "WebSocket", polling: "polling" },

  // Trail
  noTrail: "Nothing was done yet.",
  gone: "somebody who is gone",
  deeds: {
    "user:mute": (t, name) => `muted ${name(t.user)}${t.until ? ` until ${moment(t.until)}` : ""}`,
    "user:unmute": (t, name) => `let ${name(t.user)} speak again`,
    "user:remove": (t, name) => `removed ${name(t.user)}`,
    "user:ban": (t, name) => `banned ${name(t.user)}`,
    "user:unban": (t, name) => `let ${name(t.user)} back`,
    "user:role": (t, name) => `made ${name(t.user)} ${ROLES[t.role] ?? t.role}`,
    "user:link": (t, name) => `made a link for ${name(t.user)}'s new password`,
    delete: (t, name, room) => `deleted a message of ${name(t.user)} in ${room(t.room)}`,
    "user:link-used": () => "set a new password by a link",
    "user:create": (t) => `made an account for ${t.name} (${t.login})`,
    "invite:new": (t) => `made an invite for ${many(t.uses, "person", "people")}`,
    "invite:kill": (t) => `ended invite ${t.invite}`,
    "room:archive": (t, _, room) => (t.on ? `archived ${room(t.room)}` : `opened ${room(t.room)} again`),
    "settings:set": (t) => `changed ${Object.keys(t).map((key) => SETTINGS[key] ?? key).join(", ")}`,
    "sockets:close": (t, name) =>
      t.session ? `ended a session of ${name(t.user)}` : t.user ? `signed ${name(t.user)} out` : "cut a connection",
  },
};

const ROLES = { member: "a member", moderator: "a moderator", admin: "an admin" };
const SETTINGS = { workspace: "the place's name", signUp: "who may make an account", contact: "whom to ask" };

const bytes = ["B", "KB", "MB", "GB", "TB"];

/** 6.8 MB, as a number and its unit. */
export function size(n) {
  let [value, unit] = [n ?? 0, 0];
  while (value >= 1000 && unit < bytes.length - 1) [value, unit] = [value / 1024, unit + 1];
  return [value < 10 && unit > 0 ? value.toFixed(1) : String(Math.round(value)), bytes[unit]];
}

/** Days and hours, or hours and minutes. */
export function span(ms) {
  const minutes = Math.floor(ms / 60_000);
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24];
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min`;
}

/** Why something was not done. */
export const whyNot = (answer) =>
  answer.code === "internal"
    ? say.fault(answer.ref)
    : (words.notDone[answer.why] ?? words.notDone[answer.code] ?? say.unreachable);
