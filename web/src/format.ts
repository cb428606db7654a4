// SPDX-License-Identifier: MIT
// Numbers as people read them.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

export function size(bytes: number) {
    let unit = 0;
    let value = bytes;
    while (value >= 1024 && unit < UNITS.length - 1) {
        value /= 1024;
        unit++;
    }
    return (unit === 0 || value >= 100 ? Math.round(value).toString() : value.toPrecision(3)) +
        "\u00a0" + UNITS[unit];
}

export function rate(bytes: number) {
    return bytes < 1 ? "0" : size(bytes) + "/s";
}

export function percent(share: number) {
    // 99.99 % is not done: rounds down.
    const value = Math.floor(Math.min(1, Math.max(0, share)) * 1000) / 10;
    return (value === 100 ? "100" : value.toFixed(1)) + "\u00a0%";
}

export function duration(seconds: number) {
    if (seconds < 60) return Math.round(seconds) + "\u00a0s";
    const steps: [number, string][] = [[86400 * 365, "y"], [86400, "d"], [3600, "h"], [60, "min"]];
    const at = steps.findIndex(([length]) => seconds >= length);
    const [length, name] = steps[at]!;
    const whole = Math.floor(seconds / length);
    const next = steps[at + 1];
    if (!next || whole >= 10) return whole + "\u00a0" + name;
    const rest = Math.floor((seconds - whole * length) / next[0]);
    return whole + "\u00a0" + name + (rest ? " " + rest + "\u00a0" + next[1] : "");
}

export function ratio(value: number) {
    return value >= 100 ? Math.round(value).toString() : value.toFixed(2);
}

const dates = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const days = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

export function date(seconds: number) {
    return seconds > 0 ? dates.format(seconds * 1000) : "–";
}

export function day(seconds: number) {
    return seconds > 0 ? days.format(seconds * 1000) : "–";
}

export function plural(count: number, one: string, many = one + "s") {
    return count.toLocaleString("en") + "\u00a0" + (count === 1 ? one : many);
}

// "2M", "500 k", "1.5 MiB/s": bytes; null when it is none.
export function parseRate(text: string): number | null {
    const match = /^\s*(\d+(?:[.,]\d+)?)\s*([kmg]?)(?:i?b)?(?:\/s)?\s*$/i.exec(text);
    if (!match) return null;
    const scale = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[match[2]!.toLowerCase()] ?? 1;
    const value = Math.round(parseFloat(match[1]!.replace(",", ".")) * scale);
    return Number.isSafeInteger(value) ? value : null;
}

// The text that parseRate takes back.
export function rateText(bytes: number) {
    for (const [scale, name] of [[1024 ** 3, "G"], [1024 ** 2, "M"], [1024, "k"]] as const) {
        if (bytes >= scale) return +(bytes / scale).toFixed(2) + " " + name;
    }
    return String(bytes);
}
