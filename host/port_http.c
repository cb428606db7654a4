/* SPDX-License-Identifier: MIT */
#include "host/port_http.h"

#include <curl/curl.h>
#include <stdio.h>

#define ANSWER_MAX 65536u
#define CONNECT_MS 3000L
#define ANSWER_MS  6000L

static size_t on_bytes(char *bytes, size_t size, size_t count, void *context)
{
    struct buffer *out = context;

    if (count > ANSWER_MAX - out->length)
        return 0;
    buffer_append(out, bytes, size * count);
    return size * count;
}

static struct curl_slist *soap_headers(const char *soap_action)
{
    char line[320];
    struct curl_slist *list = NULL;

    snprintf(line, sizeof line, "SOAPAction: \"%s\"", soap_action);
    list = curl_slist_append(list, line);
    list = curl_slist_append(list, "Content-Type: text/xml; charset=\"utf-8\"");
    return curl_slist_append(list, "Expect:"); /* old routers do not know it */
}

long port_http_ask(const char *url, const char *soap_action, const char *body, struct buffer *out)
{
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = soap_action ? soap_headers(soap_action) : NULL;
    long status = 0;

    if (!curl)
        goto end;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, ANSWER_MS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
    if (soap_action) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    }
    if (curl_easy_perform(curl) != CURLE_OK ||
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK)
        status = 0;
end:
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return status;
}
