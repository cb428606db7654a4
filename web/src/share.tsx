// SPDX-License-Identifier: MIT
// A magnet link to copy, and as a picture for a phone's camera.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { encode } from "uqr";
import { closeDialog, Dialog } from "./ui";

const QUIET = 3;

function Code({ text }: { text: string }) {
    const canvas = useRef<HTMLCanvasElement>(null);
    const [fits, setFits] = useState(true);
    useLayoutEffect(() => {
        try {
            const code = encode(text, { border: QUIET, ecc: "L" });
            const scale = Math.max(2, Math.floor(560 / code.size));
            const element = canvas.current!;
            element.width = element.height = code.size * scale;
            const paint = element.getContext("2d")!;
            paint.fillStyle = "#fff";
            paint.fillRect(0, 0, element.width, element.height);
            paint.fillStyle = "#000";
            code.data.forEach((line, y) => line.forEach((dark, x) => {
                if (dark) paint.fillRect(x * scale, y * scale, scale, scale);
            }));
            setFits(true);
        } catch {
            setFits(false); // longer than such a picture can hold
        }
    }, [text]);
    return fits
        ? <canvas ref={canvas} class="code" role="img" aria-label="QR code of the magnet link" />
        : <p class="hint">The link is too long for a QR code.</p>;
}

export function ShareDialog({ name, magnet }: { name: string; magnet: string }) {
    const [copied, setCopied] = useState(false);
    const [short, setShort] = useState(true);
    const link = short ? magnet.split("&").filter((part) => !part.startsWith("tr=") && !part.startsWith("ws=")).join("&") : magnet;
    const field = useRef<HTMLTextAreaElement>(null);
    const copy = async () => {
        try {
            await navigator.clipboard.writeText(link);
        } catch {
            field.current!.select();
            document.execCommand("copy"); // pages over plain HTTP have no clipboard
        }
        setCopied(true);
    };
    return (
        <Dialog title="Share" onSubmit={() => void copy()}
            actions={<>
                <button type="button" onClick={closeDialog}>Close</button>
                <button type="submit" class="primary" autofocus>{copied ? "Copied" : "Copy link"}</button>
            </>}>
            <p class="quote" dir="auto">{name}</p>
            <Code text={link} />
            <textarea ref={field} readOnly rows={3} aria-label="Magnet link" value={link} />
            <label class="check">
                <input type="checkbox" checked={!short} onChange={(event) => { setShort(!event.currentTarget.checked); setCopied(false); }} />
                <span>With trackers and web seeds</span>
            </label>
        </Dialog>
    );
}
