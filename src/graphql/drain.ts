import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** A server's connections, so that it can end soon and break off nothing that it is answering. */
export class Drain {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #responses = new Set<ServerResponse>();
  #isEnding = false;

  constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.prependListener('request', (_request, response) => {
      if (this.#isEnding) response.shouldKeepAlive = false;
      this.#responses.add(response);
      response.once('close', () => this.#responses.delete(response));
    });
  }

  /**
   * Accepts nobody new, tells whoever is being answered that it was the last time here, and closes what nobody is answered on, as
   * soon as those who listen have been told. After so long nothing is waited for.
   */
  async end(patienceMs: number, tellListeners: () => Promise<void>): Promise<void> {
    this.#isEnding = true;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const response of this.#responses) response.shouldKeepAlive = false;
    const patience = setTimeout(() => this.#server.closeAllConnections(), patienceMs);
    await tellListeners();
    const busy = new Set([...this.#responses].map(({ socket }) => socket));
    for (const socket of this.#sockets) if (!busy.has(socket)) socket.destroy();
    await closed;
    clearTimeout(patience);
  }
}
