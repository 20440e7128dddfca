import { readConfig } from '../../src/config.ts';

/** Servers that stand beside ours, at addresses where nobody answers: for what is only said about them. */
export const { streaming, conferencing } = readConfig({
  HOMEROOM_INGEST_URL: 'rtmp://media.example.org/live',
  HOMEROOM_PLAYBACK_URL: 'https://media.example.org/hls',
  HOMEROOM_MEDIA_SECRET: 'a secret of thirty-two characters',
  HOMEROOM_LIVEKIT_URL: 'ws://127.0.0.1:9',
  HOMEROOM_LIVEKIT_API_KEY: 'key',
  HOMEROOM_LIVEKIT_API_SECRET: 'a secret of thirty-two characters',
});
