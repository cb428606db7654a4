// SPDX-License-Identifier: MIT
// A magnet link to copy, and as a picture for a phone's camera.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { encode } from "uqr";
import { closeDialog, Dialog } from "./ui";

const QUIET = 3;

// Pages over plain HTTP from another machine have no clipboard: then it goes by a selection. False:
// not even so.
export async function copied(text: string, field?: HTMLTextAreaElement) {
    try {
        await navigator.clipboard.writeText(text);
        return true;
    } catch {
        const before = document.activeElement;
        const mine = field ?? document.body.appendChild(Object.assign(document.createElement("textarea"), { value: text, className: "sr" }));
        mine.select();
        const done = document.execCommand("copy");
        if (!field) mine.remove();
        if (before instanceof HTMLElement) before.focus();
        return done;
    }
}

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
    const [done, setDone] = useState(false);
    const [short, setShort] = useState(true);
    const link = short ? magnet.split("&").filter((part) => !part.startsWith("tr=") && !part.startsWith("ws=")).join("&") : magnet;
    const field = useRef<HTMLTextAreaElement>(null);
    const copy = async () => setDone(await copied(link, field.current!));
    return (
        <Dialog title="Share" onSubmit={() => void copy()}
            actions={<>
                <button type="button" onClick={closeDialog}>Close</button>
                <button type="submit" class="primary" autofocus>{done ? "Copied" : "Copy link"}</button>
            </>}>
            <p class="quote" dir="auto">{name}</p>
            <Code text={link} />
            <textarea ref={field} readOnly rows={3} aria-label="Magnet link" value={link} />
            <label class="check">
                <input type="checkbox" checked={!short} onChange={(event) => { setShort(!event.currentTarget.checked); setDone(false); }} />
                <span>With trackers and web seeds</span>
            </label>
        </Dialog>
    );
}
