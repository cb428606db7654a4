// SPDX-License-Identifier: MIT
// Settings of the network that are more than a switch: encryption, and the list of who is blocked.
import { useEffect, useState } from "preact/hooks";
import { get, patch, post, type Settings, type Stats, words } from "./api";
import { plural } from "./format";
import { Field, Switch } from "./ui";

type Part = { now: Settings; set: (change: Partial<Settings>) => void };

export function Encryption({ now, set }: Part) {
    return (
        <Field label="Encryption of connections" hint="Hides what is spoken from filters on the way; not who speaks with whom">
            {(id) => (
                <select id={id} value={now.encryption} onChange={(event) => set({ encryption: event.currentTarget.value as Settings["encryption"] })}>
                    <option value="require">encrypted or not at all</option>
                    <option value="prefer">encrypted where the peer can</option>
                    <option value="allow">when the peer asks for it</option>
                    <option value="off">never</option>
                </select>
            )}
        </Field>
    );
}

export function Blocklist({ now, set }: Part) {
    const [rules, setRules] = useState<number | null>(null);
    const [fault, setFault] = useState("");
    const [busy, setBusy] = useState(false);
    useEffect(() => { get<Stats>("/stats").then((stats) => setRules(stats.blocklist_rules), () => undefined); }, []);
    const fetchNow = async () => {
        setBusy(true);
        setFault("");
        try {
            await patch("/settings", { blocklist_url: now.blocklist_url.trim(), blocklist_enabled: true });
            setRules((await post<{ rules: number }>("/blocklist")).rules);
        } catch (error) {
            setFault(words(error));
        }
        setBusy(false);
    };
    return (
        <>
            <h3>Blocked addresses</h3>
            <Switch label="Block addresses of a list" checked={now.blocklist_enabled} onChange={(on) => set({ blocklist_enabled: on })} />
            {now.blocklist_enabled && (
                <>
                    <Field label="Its URL" hint="PeerGuardian text, eMule .dat or CIDR lines; gzip too">
                        {(id) => <input id={id} value={now.blocklist_url} spellcheck={false} onInput={(event) => set({ blocklist_url: event.currentTarget.value })} />}
                    </Field>
                    <div class="blocklist">
                        <span role="status">{busy ? "Fetching…" : rules === null ? "" : plural(rules, "range") + " blocked"}</span>
                        <button type="button" disabled={busy || !now.blocklist_url.trim()} onClick={() => void fetchNow()}>Save and fetch</button>
                    </div>
                    {fault && <p class="error" role="alert">{fault}</p>}
                </>
            )}
        </>
    );
}
