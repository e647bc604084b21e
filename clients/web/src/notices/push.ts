/** Web push on this device: asking the browser, telling the server. */
import { browserApi } from "../api.ts";

const WORKER = "/sw.js";

/** What this browser can do and does: nothing of the kind, refused for good, not yet, or already. */
export type PushState = "unsupported" | "denied" | "off" | "on";

const isSupported = (): boolean =>
  "serviceWorker" in navigator && "PushManager" in window && "Notification" in window && window.isSecureContext;

async function subscriptionNow(): Promise<PushSubscription | null> {
  const registration = await navigator.serviceWorker.getRegistration(WORKER);
  return (await registration?.pushManager.getSubscription()) ?? null;
}

export async function pushState(): Promise<PushState> {
  if (!isSupported()) return "unsupported";
  if (Notification.permission === "denied") return "denied";
  return (await subscriptionNow()) === null ? "off" : "on";
}

const base64url = (bytes: ArrayBuffer | null): string =>
  btoa(String.fromCharCode(...new Uint8Array(bytes ?? new ArrayBuffer(0))))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

/** Asks the person and subscribes; what the person decided is the answer. */
export async function turnPushOn(): Promise<PushState> {
  if ((await Notification.requestPermission()) !== "granted") return pushState();
  await navigator.serviceWorker.register(WORKER);
  const registration = await navigator.serviceWorker.ready;
  const { publicKey } = await browserApi.pushKey();
  const subscription = await registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: publicKey,
  });
  const [p256dh, auth] = (["p256dh", "auth"] as const).map((name) => base64url(subscription.getKey(name)));
  try {
    await browserApi.subscribePush({ endpoint: subscription.endpoint, p256dh: p256dh ?? "", auth: auth ?? "" });
  } catch (error) {
    // A browser that the server does not know must not show that it is on.
    await subscription.unsubscribe();
    throw error;
  }
  return "on";
}

export async function turnPushOff(): Promise<PushState> {
  await browserApi.unsubscribePush();
  await (await subscriptionNow())?.unsubscribe();
  return "off";
}
