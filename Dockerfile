# The version with which package.json develops and tests.
FROM node:24.21.0-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Install scripts are only needed for tests, for instance by the embedded PostgreSQL, and not to build.
RUN npm ci --no-audit --no-fund --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npx tsc -p tsconfig.build.json && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24.21.0-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
COPY schemas ./schemas
# Messages name its pages.
COPY docs ./docs
USER node
EXPOSE 8080
# 200 once every connector works; docs/configuration.md has the statuses. The certificate is not verified, because it is issued
# for another name.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "const { FIELDGATE_HTTP_PORT: port = 8080, FIELDGATE_HTTP_TLS_CERT: cert, FIELDGATE_HTTP_TLS_CERT_FILE: file } = process.env; process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; fetch(`${cert || file ? 'https' : 'http'}://127.0.0.1:${port || 8080}/health`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Process 1 ignores a signal without a handler. The command line handles SIGTERM and SIGINT itself and starts no processes, so
# no init is needed. It ends within 10 s, docker's own limit. kafkajs causes the warning that is disabled.
ENTRYPOINT ["node", "--disable-warning=TimeoutNegativeWarning", "dist/cli.js"]
CMD ["run"]
