import { useEffect, useMemo } from "react";
import { useLoaderData, useNavigate, useSearchParams } from "react-router";
import { createPlaybackApi } from "../../../player/api.ts";
import { Player } from "../../../player/player.tsx";
import { Picture } from "../../../ui/picture.tsx";
import { useWords } from "../../../ui/words.tsx";
import { browserHttp } from "../api.ts";
import { useProcessing } from "../hooks.ts";
import type { LoaderData } from "../loaders.ts";

export function Component() {
  const { title } = useLoaderData<LoaderData<"title">>();
  const { m } = useWords();
  const [query] = useSearchParams();
  const navigate = useNavigate();
  const api = useMemo(() => createPlaybackApi(browserHttp), []);
  const processing = useProcessing(title.state === "processing" ? [title.id] : []);
  const backPath = `/title/${title.seriesId ?? title.id}`;
  const start = query.get("t");
  const startS = start === null || !Number.isFinite(Number(start)) ? null : Number(start);

  // The page behind must not scroll under a player that fills the screen.
  useEffect(() => {
    document.documentElement.style.overflow = "hidden";
    return () => {
      document.documentElement.style.overflow = "";
    };
  }, []);

  return (
    <div className="fixed inset-0 z-50 overflow-hidden bg-black">
      <h1 className="sr-only">{title.title}</h1>
      <Player
        // Another title is another playback; a title that has just become playable starts anew, too.
        key={`${title.id}:${title.state}`}
        api={api}
        contentId={title.playId ?? title.id}
        format={query.get("format") === "hls" ? "hls" : "dash"}
        startS={startS}
        poster={
          <Picture
            image={title.backdrop ?? title.poster}
            sizes="100vw"
            priority
            isDecoration
            className="absolute! inset-0"
          />
        }
        title={title.title}
        preparing={
          title.state === "processing" ? (processing.get(title.id)?.progress ?? title.processingProgress ?? 0) : null
        }
        // Back goes where one came from; somebody who came by a link goes to the title's page.
        onBack={() => void (window.history.state?.idx > 0 ? navigate(-1) : navigate(backPath, { replace: true }))}
        onNext={(id) => void navigate(`/watch/${id}`, { replace: true })}
      />
      <noscript>
        <p className="absolute inset-x-0 bottom-0 bg-ground p-6 text-16">
          {m.player.noScript} <a href={backPath}>{m.player.back}</a>
        </p>
      </noscript>
    </div>
  );
}
