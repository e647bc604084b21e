import type { CSSProperties } from "react";
import type { Image } from "../../contracts/web/index.ts";

interface PictureProps {
  image: Image | null;
  /** How wide the slot is, as in `<img sizes>`. */
  sizes: string;
  className?: string;
  imageClassName?: string;
  /** For the one picture that a page is about: loaded first and at once. */
  priority?: boolean;
  /** Tiles say their title in words already: their picture is decoration. */
  isDecoration?: boolean;
}

/** A slot that never moves: the dominant colour, its blurred miniature over it, then the picture in the width that fits. */
export function Picture({
  image,
  sizes,
  className = "",
  imageClassName = "",
  priority = false,
  isDecoration = false,
}: PictureProps) {
  const largest = image?.sources.at(-1);
  const slot: CSSProperties = image === null ? {} : { backgroundColor: image.color };
  return (
    <div className={`slot bg-lift-2 ${className}`} style={slot}>
      {image !== null && image.blurDataUrl !== "" && (
        <span className="slot-blur" style={{ backgroundImage: `url("${image.blurDataUrl}")` }} />
      )}
      {image !== null && largest !== undefined && (
        <img
          alt={isDecoration ? "" : image.alt}
          srcSet={image.sources.map(({ url, width }) => `${url} ${width}w`).join(", ")}
          sizes={sizes}
          src={largest.url}
          loading={priority ? "eager" : "lazy"}
          decoding="async"
          fetchPriority={priority ? "high" : "auto"}
          className={imageClassName}
        />
      )}
    </div>
  );
}
