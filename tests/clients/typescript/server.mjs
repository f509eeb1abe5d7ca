// As tests/support/answering.py: answers as `does` says, and keeps what it was asked.

import { createServer } from 'node:http';

const SLOWLY = 400;

/**
 * `does(method, path, headers)` gives `[status, headers, body]`, or null: the connection is cut without a word. A body that is a list is sent
 * piece by piece.
 */
export class Server {
  does = () => [200, {}, {}];
  asked = [];

  static async start() {
    const made = new Server();
    made.http = createServer(async (request, response) => {
      for await (const part of request) void part;
      const { method, url, headers } = request;
      made.asked.push({ method, path: url, headers });
      const said = await made.does(method, url, headers);
      if (said === null) return request.socket.destroy();
      const parts = Array.isArray(said[2]) ? said[2] : [];
      const body = typeof said[2] === 'string' ? said[2] : JSON.stringify(said[2]);
      response.writeHead(said[0], { 'Content-Type': 'application/json', ...said[1] });
      if (said[1]['Content-Length']) return response.write(body); // and the rest never comes
      for (const part of parts) {
        response.write(part);
        await new Promise((resolve) => setTimeout(resolve, SLOWLY));
      }
      response.end(parts.length || said[0] === 204 ? undefined : body);
    });
    await new Promise((resolve) => made.http.listen(0, '127.0.0.1', resolve));
    made.url = `http://127.0.0.1:${made.http.address().port}`;
    return made;
  }

  async stop() {
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }

  heads(name) {
    return this.asked.map(({ headers }) => headers[name.toLowerCase()]);
  }

  count(part) {
    return this.asked.filter(({ path }) => path.includes(part)).length;
  }

  /** One answer after the other. */
  script(...answers) {
    this.does = () => answers.shift();
  }
}
