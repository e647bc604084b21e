/** The media element's events, under the names of what they mean to a playback. */

export interface VideoListeners {
  clock(): void;
  playing(): void;
  paused(): void;
  resumedByViewer(): void;
  seeking(): void;
  seeked(): void;
  ended(): void;
  volume(): void;
  rate(): void;
}

export function listenToVideo(video: HTMLVideoElement, signal: AbortSignal, listeners: VideoListeners): void {
  const on = (names: string, run: () => void) => {
    for (const name of names.split(" ")) video.addEventListener(name, run, { signal });
  };
  on("timeupdate progress durationchange", listeners.clock);
  on("playing", listeners.playing);
  on("pause", listeners.paused);
  on("play", listeners.resumedByViewer);
  on("seeking", listeners.seeking);
  on("seeked", listeners.seeked);
  on("ended", listeners.ended);
  on("volumechange", listeners.volume);
  on("ratechange", listeners.rate);
}
