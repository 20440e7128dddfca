/** The floor: `ws` alone. Answers the same two messages, then broadcasts bytes; it asks and decides nothing. */
import { type WebSocket, WebSocketServer } from 'ws';
import { obey } from '../processes/orders.ts';
import { hostname, type PeerOrders, port } from './orders.ts';

const sockets = new Set<WebSocket>();
const asText = { binary: false, compress: false };
let before = '';
let after = '';

new WebSocketServer({ port, host: hostname, perMessageDeflate: false }).on('connection', (socket) => {
  socket.on('message', (data) => {
    const { type } = JSON.parse(String(data));
    if (type === 'connection_init') socket.send('{"type":"connection_ack"}');
    else if (type === 'subscribe') sockets.add(socket);
  });
  socket.on('close', () => sockets.delete(socket));
});

const orders: PeerOrders = {
  admit: () => {},
  learn: ({ text, cursor }) => {
    [before = '', after = ''] = text.split(cursor);
  },
  publish: (cursors) => {
    for (const cursor of cursors) {
      // A buffer is faster than a string here: encoded once, not for every socket.
      const bytes = Buffer.from(before + cursor + after);
      for (const socket of sockets) socket.send(bytes, asText);
    }
  },
};

obey(orders);
