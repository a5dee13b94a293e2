// A line to the server that can be cut, and that can lose what the server says, piece by piece: a proxy on a port of its own.
// The page still loads while the line is cut, as from a cache: only what speaks Socket.IO is lost.

import { once } from "node:events";
import net from "node:net";

const HOST = "127.0.0.1";
const SOCKET_IO = /^(GET|POST) \/socket\.io\/\?/;

export class Line {
  #listener;
  #port;
  #pairs = new Set();
  #isCut = false;
  #loses = null;
  /** What was lost: texts of frames. */
  lost = [];

  /** A line to the server at that address. */
  static async to(url) {
    const line = new Line(Number(new URL(url).port));
    line.#listener.listen(0, HOST);
    await once(line.#listener, "listening");
    return line;
  }

  constructor(port) {
    this.#port = port;
    this.#listener = net.createServer((client) => this.#accept(client));
  }

  get url() {
    return `http://${HOST}:${this.#listener.address().port}/`;
  }

  /** Cuts what is there, and lets nothing new through but the page itself. */
  cut() {
    this.#isCut = true;
    for (const end of this.#pairs) end.destroy();
  }

  mend() {
    this.#isCut = false;
  }

  /** From now on frames of the server are lost whose text `matches`; none without it. */
  lose(matches = null) {
    this.#loses = matches;
  }

  close() {
    this.cut();
    this.#listener.close();
  }

  #accept(client) {
    const server = net.connect(this.#port, HOST);
    for (const [end, other] of [
      [client, server],
      [server, client],
    ]) {
      this.#pairs.add(end);
      end.on("error", () => other.destroy());
      end.on("close", () => {
        this.#pairs.delete(end);
        other.destroy();
      });
    }
    client.on("data", (data) => {
      if (this.#isCut && SOCKET_IO.test(data.toString("latin1", 0, 40))) client.destroy();
      else server.write(data);
    });
    this.#fromServer(server, client);
  }

  /** What the server says: after the upgrade, frame by frame. */
  #fromServer(server, client) {
    let isUpgraded = false;
    let rest = Buffer.alloc(0);
    server.on("data", (data) => {
      if (!isUpgraded) {
        const head = data.indexOf("\r\n\r\n");
        isUpgraded = data.toString("latin1", 0, 12) === "HTTP/1.1 101" && head >= 0;
        if (!isUpgraded) return client.write(data);
        client.write(data.subarray(0, head + 4));
        data = data.subarray(head + 4);
      }
      rest = Buffer.concat([rest, data]);
      for (let frame = whole(rest); frame; frame = whole(rest)) {
        rest = rest.subarray(frame.end);
        const text = frame.payload.toString();
        if (this.#loses?.(text)) this.lost.push(text);
        else client.write(frame.bytes);
      }
    });
  }
}

/** The first frame, if it is there as a whole. A server's frames have no mask. */
function whole(bytes) {
  if (bytes.length < 2) return null;
  const short = bytes[1] & 127;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < start) return null;
  const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  const end = start + length;
  return bytes.length < end ? null : { end, bytes: bytes.subarray(0, end), payload: bytes.subarray(start, end) };
}
