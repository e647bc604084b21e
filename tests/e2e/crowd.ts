/** Overload on purpose, without the load: visitors who come in and do not go on. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** As many as may sign in at the same time, and some more. */
const VISITORS = 4;

/** Takes every turn at the door with forms of which the end never comes; whoever comes then waits, and is refused. */
export async function fillHouse(baseUrl: string): Promise<{ leave(): void }> {
  const { hostname, host, port } = new URL(baseUrl);
  const form = [
    "POST /sign-in HTTP/1.1",
    `Host: ${host}`,
    "Content-Type: application/x-www-form-urlencoded",
    "Content-Length: 100",
  ];
  const sockets = await Promise.all(
    Array.from({ length: VISITORS }, async (): Promise<Socket> => {
      const socket = connect(Number(port), hostname);
      socket.on("error", () => {
        // The product may hang up on whoever takes so long.
      });
      await once(socket, "connect");
      socket.write(`${form.join("\r\n")}\r\n\r\nemail=`);
      return socket;
    }),
  );
  return { leave: () => sockets.forEach((socket) => socket.destroy()) };
}
