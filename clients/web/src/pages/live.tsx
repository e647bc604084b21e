import { useEffect, useMemo } from "react";
import { useLoaderData, useNavigate, useParams, useSearchParams } from "react-router";
import { createPlaybackApi } from "../../../player/api.ts";
import { Player } from "../../../player/player.tsx";
import { StatePage } from "../../../ui/feedback.tsx";
import { useWords } from "../../../ui/words.tsx";
import { browserHttp } from "../api.ts";
import type { LoaderData } from "../loaders.ts";

export function Component() {
  const { channels } = useLoaderData<LoaderData<"channels">>();
  const { id } = useParams();
  const { m } = useWords();
  const [query] = useSearchParams();
  const navigate = useNavigate();
  const api = useMemo(() => createPlaybackApi(browserHttp), []);
  const channel = channels.find((each) => each.id === id);
  const goBack = () => void (window.history.state?.idx > 0 ? navigate(-1) : navigate("/live", { replace: true }));

  // The page behind must not scroll under a player that fills the screen.
  useEffect(() => {
    document.documentElement.style.overflow = "hidden";
    return () => {
      document.documentElement.style.overflow = "";
    };
  }, []);

  if (channel === undefined) {
    const action = (
      <button type="button" className="button button-primary" onClick={goBack}>
        {m.player.back}
      </button>
    );
    return <StatePage title={m.notFoundTitle} text={m.notFoundText} actions={action} />;
  }
  // Who changes channels passes by those that cannot be watched.
  const others = channels.filter((each) => each.id === id || (each.onAir && each.locked === null));
  const at = others.indexOf(channel);
  const change = (step: 1 | -1) => {
    const next = others[(at + step + others.length) % others.length];
    const format = query.get("format");
    if (next !== undefined)
      void navigate(`/live/${next.id}${format === null ? "" : `?format=${format}`}`, { replace: true });
  };
  return (
    <div className="fixed inset-0 z-50 overflow-hidden bg-black">
      <h1 className="sr-only">{channel.name}</h1>
      <Player
        // Another channel is another playback.
        key={channel.id}
        api={api}
        contentId={channel.id}
        format={query.get("format") === "hls" ? "hls" : "dash"}
        startS={null}
        startsOver={query.has("over")}
        poster={null}
        title={channel.name}
        preparing={null}
        onBack={goBack}
        onNext={() => undefined}
        onChannel={others.length > 1 ? change : null}
      />
      <noscript>
        <p className="absolute inset-x-0 bottom-0 bg-ground p-6 text-16">
          {m.player.noScript} <a href="/live">{m.player.back}</a>
        </p>
      </noscript>
    </div>
  );
}
