/**
 * How media requests travel: signed for their network, sent elsewhere when that one fails, refuses or is left.
 *
 * Shaka retries by itself on the next address of a request. What it cannot do is done here, in a scheme plugin around its
 * own: a 403 is answered by fresh tokens and one more try, and when the platform moves the player to another network the
 * transfers under way are taken along instead of being waited for.
 */
import { candidates, cdnOf, type Delivery, forLicense, signed } from "./delivery.ts";
import { httpStatusOf } from "./errors.ts";
import type { RequestType, Shaka, ShakaRequest, ShakaResponse } from "./shaka.ts";

export interface Transport {
  /** For Shaka's networking engine. */
  filter(type: RequestType, request: ShakaRequest): Promise<void>;
  /** Takes segment transfers from networks other than `cdnId` along to it. */
  moveTo(cdnId: string): void;
}

export interface TransportOptions {
  delivery: Delivery;
  /** Fetches new tokens into `delivery`; calls at the same moment share one request. */
  refresh(): Promise<void>;
  /** True where the present tokens have run out (a laptop that slept): a request then waits for new ones. */
  isExpired(): boolean;
  nowMs(): number;
}

interface Transfer {
  cdnId: string;
  move(): void;
}

type Plugin = Parameters<Shaka["net"]["NetworkingEngine"]["registerScheme"]>[1];
type PluginArguments = Parameters<Plugin>;

interface Registered {
  options: TransportOptions;
  transfers: Set<Transfer>;
}

/** The plugin is global to the library while sessions come and go: each request remembers whose it is. */
const owners = new WeakMap<ShakaRequest, Registered>();
const installed = new WeakSet<Shaka>();

export function createTransport(library: Shaka, options: TransportOptions): Transport {
  install(library);
  const { RequestType: Type } = library.net.NetworkingEngine;
  const registered: Registered = { options, transfers: new Set() };
  return {
    async filter(type, request) {
      owners.set(request, registered);
      if (type === Type.LICENSE) {
        // A licence that is asked for late needs the token of now, not that of the session's start.
        if (options.isExpired()) await options.refresh().catch(() => undefined);
        const token = options.delivery.cdns[0]?.token ?? "";
        request.uris = request.uris.map((uri) => forLicense(uri, token));
        request.allowCrossSiteCredentials = true;
        request.headers["x-marquee"] = "web";
        return;
      }
      if (cdnOf(options.delivery, request.uris[0] ?? "") === null) return;
      // A failed refresh is not this request's end: the edge decides, and a 403 brings us back here.
      if (options.isExpired()) await options.refresh().catch(() => undefined);
      // Shaka counts attempts through the list of addresses: after the first attempt the order must stay.
      request.uris =
        request.attempt === 0
          ? candidates(options.delivery, request.uris, options.nowMs())
          : request.uris.map((uri) => signed(options.delivery, uri));
    },
    moveTo(cdnId) {
      for (const transfer of registered.transfers) if (transfer.cdnId !== cdnId) transfer.move();
    },
  };
}

function install(library: Shaka): void {
  if (installed.has(library)) return;
  installed.add(library);
  const { NetworkingEngine } = library.net;
  const plugin: Plugin = (...call) => {
    const owner = owners.get(call[1]);
    if (owner === undefined) return library.net.HttpFetchPlugin.parse(...call);
    return mediaOperation(library, owner, call);
  };
  const priority = NetworkingEngine.PluginPriority.APPLICATION;
  for (const scheme of ["http", "https"]) NetworkingEngine.registerScheme(scheme, plugin, priority, true);
}

function mediaOperation(library: Shaka, owner: Registered, call: PluginArguments) {
  const [uri, request, type, progress, headers, config] = call;
  const { delivery } = owner.options;
  let aborted = false;
  let target = uri;
  let current = library.net.HttpFetchPlugin.parse(...call);
  let moving = false;
  const transfer: Transfer = {
    cdnId: cdnOf(delivery, uri)?.id ?? "",
    move() {
      if (moving || type !== library.net.NetworkingEngine.RequestType.SEGMENT) return;
      moving = true;
      void current.abort();
    },
  };
  const again = (next: string): Promise<ShakaResponse> => {
    target = next;
    current = library.net.HttpFetchPlugin.parse(next, request, type, progress, headers, config);
    return current.promise;
  };
  const run = async (): Promise<ShakaResponse> => {
    owner.transfers.add(transfer);
    try {
      return await current.promise;
    } catch (error) {
      if (aborted) throw error;
      if (moving) {
        const [next] = candidates(delivery, [uri], owner.options.nowMs());
        return await again(next ?? uri);
      }
      if (httpStatusOf(error) !== 403 || cdnOf(delivery, target) === null) throw error;
      // Without new tokens the refusal stands as it is.
      const refreshed = await owner.options.refresh().then(
        () => true,
        () => false,
      );
      if (aborted || !refreshed) throw error;
      return await again(signed(delivery, target));
    } finally {
      owner.transfers.delete(transfer);
    }
  };
  return new library.util.AbortableOperation(run(), async () => {
    aborted = true;
    await current.abort();
  });
}
