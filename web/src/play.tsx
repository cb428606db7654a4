// SPDX-License-Identifier: MIT
// A file that is played while it comes: in the page what a browser can play, and by a link, whose key
// opens this torrent's files alone, in any player.
import { useEffect, useRef, useState } from "preact/hooks";
import { size } from "./format";
import { copied } from "./share";
import { closeDialog, Dialog } from "./ui";

const KINDS: Record<string, "video" | "audio" | "picture" | "text"> = Object.create(null);
for (const [kind, endings] of [
    ["video", "3gp avi m2ts m4v mkv mov mp4 mpeg mpg ogv ts webm"], ["audio", "aac flac m4a mka mp3 oga ogg opus wav weba"],
    ["picture", "avif bmp gif jpeg jpg png webp"], ["text", "srt txt vtt"],
] as const) for (const ending of endings.split(" ")) KINDS[ending] = kind;

export const kindOfFile = (path: string) => KINDS[path.slice(path.lastIndexOf(".") + 1).toLowerCase()];

export function PlayDialog({ id, file, streamKey }: { id: number; file: { index: number; path: string; length: number }; streamKey: string }) {
    const [failed, setFailed] = useState(false);
    const [done, setDone] = useState(false);
    const path = `/stream/${id}/${file.index}?key=${streamKey}`;
    const name = file.path.slice(file.path.lastIndexOf("/") + 1);
    const kind = kindOfFile(file.path);
    const fail = () => setFailed(true);
    const video = useRef<HTMLVideoElement>(null);
    const audio = useRef<HTMLAudioElement>(null);
    useEffect(() => {
        const element = video.current ?? audio.current;
        return () => { // it would read on until it is collected
            if (!element) return;
            element.pause();
            element.removeAttribute("src");
            element.load();
        };
    }, []);
    return (
        <Dialog title="Play" wide onSubmit={closeDialog}
            actions={<>
                <button type="button" onClick={async () => setDone(await copied(location.origin + path))}>{done ? "Copied" : "Copy link"}</button>
                <a class="button" href={path} download={name}>Save</a>
                <button type="submit" class="primary" autofocus>Close</button>
            </>}>
            <p class="quote" dir="auto">{name} <small>{size(file.length)}</small></p>
            {failed ? <p class="hint">This browser cannot play it, or the torrent has stopped. The link goes into any player (mpv, VLC).</p>
                : kind === "video" ? <video ref={video} class="player" src={path} controls autoplay aria-label={name} onError={fail} />
                    : kind === "audio" ? <audio ref={audio} class="player" src={path} controls autoplay aria-label={name} onError={fail} />
                        : kind === "picture" ? <img class="player" src={path} alt={name} onError={fail} />
                            : <p class="hint">A browser does not show such files. Save it, or open the link in a program that does.</p>}
            <p class="hint">What is wanted next is fetched first. Who has the link can read this torrent's files, and nothing else.</p>
        </Dialog>
    );
}
