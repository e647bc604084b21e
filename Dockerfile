# One image for every process of the product; what a container runs is its command: `serve session bookmark`, and so on.
FROM node:24.11.1-bookworm-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends ffmpeg ca-certificates curl \
  && rm -rf /var/lib/apt/lists/* \
  && mkdir -p /srv/marquee /data /run/marquee \
  && chown node:node /srv/marquee /data /run/marquee
USER node
WORKDIR /srv/marquee
COPY --chown=node:node . .
# The first command installs the packages of the lock file; the pages are built once and not by each container.
RUN ./marquee --version && node_modules/.bin/node scripts/build-clients.ts
ENV MARQUEE_DATA=/data
ENTRYPOINT ["./marquee"]
