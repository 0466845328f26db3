# docker build -t balsa .
# docker run -d --name balsa -p 127.0.0.1:2379:2379 -v balsa:/var/lib/balsa balsa
#
# Works with and without BuildKit. A registry other than npm's: --build-arg NPM_CONFIG_REGISTRY=…

FROM node:24-bookworm-slim AS build
ARG NPM_CONFIG_REGISTRY
WORKDIR /build
# A layer of its own, which changes of the sources leave as it is. LevelDB comes compiled in its package, so no script
# has to run (and none gets to run) while packages are installed.
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund
# LevelDB's sources, and its builds for other systems than Linux, are most of what is left.
RUN cd node_modules/classic-level && rm -rf deps binding.cc && find prebuilds -mindepth 1 -maxdepth 1 ! -name 'linux-*' -exec rm -r {} +

FROM node:24-bookworm-slim
# Owned by root: the server cannot change its own program.
COPY --from=build /build/package.json /opt/balsa/
COPY --from=build /build/node_modules /opt/balsa/node_modules
COPY --from=build /build/dist /opt/balsa/dist
# A new volume takes over owner and mode of the directory it is mounted on.
RUN ln -s /opt/balsa/dist/cli/balsa.cjs /usr/local/bin/balsa && install -d -o node -g node -m 0700 /var/lib/balsa

# The first four make a node take less memory (src/cli/process-memory.ts). Environment variables go before a
# configuration file: one that is mounted here can leave the last three out, but changes them only with variables
# (docker run -e).
ENV NODE_OPTIONS=--max-semi-space-size=8 \
    MALLOC_ARENA_MAX=2 \
    MALLOC_MMAP_THRESHOLD_=131072 \
    MALLOC_TRIM_THRESHOLD_=131072 \
    NODE_ENV=production \
    BALSA_DATA_DIR=/var/lib/balsa \
    BALSA_LISTEN_CLIENT_URLS=http://0.0.0.0:2379 \
    BALSA_LISTEN_PEER_URLS=http://0.0.0.0:2380
WORKDIR /var/lib/balsa
VOLUME /var/lib/balsa
USER node
EXPOSE 2379 2380

# Healthy: there is a leader, and this member has caught up with it. A restart brings back neither, so do not make one
# depend on this; /livez is the question for that.
HEALTHCHECK --interval=5s --timeout=4s --start-period=30s --retries=3 CMD ["node", "-e", \
  "fetch(new URL('/readyz', process.env.BALSA_LISTEN_CLIENT_URLS.split(',')[0])).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]

# The exec form makes node process 1, which `docker stop` sends SIGTERM to: it hands over leadership, answers what it
# has accepted, and exits with 0. It starts no processes of its own, so there is nothing an init would have to reap.
ENTRYPOINT ["node", "/opt/balsa/dist/cli/balsa.cjs"]
CMD ["serve"]
