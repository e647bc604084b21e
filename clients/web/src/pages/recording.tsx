import { useEffect, useMemo } from "react";
import { useLoaderData, useNavigate } from "react-router";
import { createPlaybackApi } from "../../../player/api.ts";
import { Player } from "../../../player/player.tsx";
import { useWords } from "../../../ui/words.tsx";
import { browserHttp } from "../api.ts";
import type { LoaderData } from "../loaders.ts";
import { titleIn } from "../recordings/title.ts";

/** A recording, playing. */
export function Component() {
  const { recording } = useLoaderData<LoaderData<"recording">>();
  const { m, locale } = useWords();
  const navigate = useNavigate();
  const api = useMemo(() => createPlaybackApi(browserHttp), []);
  const title = titleIn(recording.titles, locale);
  useEffect(() => {
    document.documentElement.style.overflow = "hidden";
    return () => {
      document.documentElement.style.overflow = "";
    };
  }, []);
  return (
    <div className="fixed inset-0 z-50 overflow-hidden bg-black">
      <h1 className="sr-only">{title}</h1>
      <Player
        key={recording.contentId}
        api={api}
        contentId={recording.contentId}
        format="dash"
        startS={null}
        poster={null}
        title={title}
        preparing={null}
        onBack={() => void (window.history.state?.idx > 0 ? navigate(-1) : navigate("/recordings", { replace: true }))}
        onNext={() => {}}
      />
      <noscript>
        <p className="absolute inset-x-0 bottom-0 bg-ground p-6 text-16">
          {m.player.noScript} <a href="/recordings">{m.player.back}</a>
        </p>
      </noscript>
    </div>
  );
}
