/**
 * The service worker: shows what is pushed while no page is open, and leads to it. It caches nothing and stands between nobody and the
 * network. Only what it uses of its scope is declared here, because the types of windows and of workers exclude each other.
 */
interface WorkerScope {
  readonly registration: {
    showNotification(title: string, options: Readonly<Record<string, unknown>>): Promise<void>;
  };
  readonly clients: {
    matchAll(options: { type: "window" }): Promise<readonly WindowClient[]>;
    openWindow(url: string): Promise<unknown>;
  };
  readonly location: { readonly origin: string };
  addEventListener(name: string, listen: (event: WorkerEvent) => void): void;
}
interface WindowClient {
  focus(): Promise<WindowClient>;
  navigate(url: string): Promise<unknown>;
}
interface WorkerEvent {
  readonly data?: { json(): unknown } | null;
  readonly notification?: { readonly data: unknown; close(): void };
  waitUntil(work: Promise<unknown>): void;
}
const worker = self as unknown as WorkerScope;

interface Pushed {
  readonly id: string;
  readonly title: string;
  readonly body: string;
  readonly path: string;
}

/** A path of our own, or the home page: whatever a message says, nobody is led elsewhere. */
const ownPath = (path: unknown): string =>
  typeof path === "string" && new URL(path, worker.location.origin).origin === worker.location.origin ? path : "/";

worker.addEventListener("push", (event) => {
  const { id, title, body, path } = (event.data?.json() ?? {}) as Partial<Pushed>;
  const options = { body: body ?? "", tag: id ?? "", icon: "/icons/icon-192.png", data: ownPath(path) };
  event.waitUntil(worker.registration.showNotification(title ?? "Marquee", options));
});

worker.addEventListener("notificationclick", (event) => {
  event.notification?.close();
  event.waitUntil(goTo(ownPath(event.notification?.data)));
});

/** In a window that is open, else in a new one. */
async function goTo(path: string): Promise<void> {
  const [open] = await worker.clients.matchAll({ type: "window" });
  if (open === undefined) await worker.clients.openWindow(path);
  else await (await open.focus()).navigate(path);
}
