// Made by `make contracts` from the committed contract; do not edit.
export interface paths {
    "/mobile/v1/dashboard": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Dashboard
         * @description The first screen, in one call; `degraded` names what is not fresh.
         */
        get: operations["get_dashboard"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/mobile/v1/profile": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Profile
         * @description Who is signed in; a problem when that cannot be known now.
         */
        get: operations["get_profile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * Alert
         * @description One thing the user should know.
         */
        Alert: {
            /** Id */
            id: string;
            /** Severity */
            severity: string;
            /** Message */
            message: string;
            /**
             * Createdat
             * Format: date-time
             */
            createdAt: string;
        };
        /**
         * Dashboard
         * @description The first screen, in one answer.
         */
        Dashboard: {
            /** Userid */
            userId: string;
            /** Displayname */
            displayName: string;
            /** Tier */
            tier: string;
            /** Recentorders */
            recentOrders: components["schemas"]["Order"][];
            /**
             * Alerts
             * @description null when the alerts are not known; see `degraded`
             */
            alerts: components["schemas"]["Alert"][] | null;
            /**
             * Aggregatedat
             * Format: date-time
             */
            aggregatedAt: string;
            /**
             * Degraded
             * @description Sections not served fresh; empty when the answer is whole
             */
            degraded: components["schemas"]["Degraded"][];
        };
        /**
         * Degraded
         * @description One section that was not served fresh.
         */
        Degraded: {
            /** Section */
            section: string;
            reason: components["schemas"]["Reason"];
            source: components["schemas"]["Source"];
            /** Ageseconds */
            ageSeconds?: number | null;
            /** Retryafterseconds */
            retryAfterSeconds?: number | null;
        };
        /**
         * Order
         * @description One order, as far as a list shows it. Ids are strings: they exceed what a JavaScript number holds.
         */
        Order: {
            /** Id */
            id: string;
            /** Status */
            status: string;
            /** Amount */
            amount: string;
            /** Currency */
            currency: string;
            /**
             * Placedat
             * Format: date-time
             */
            placedAt: string;
        };
        /**
         * Problem
         * @description The body of a problem (RFC 9457), the same from the edge, from REST and in GraphQL's ``extensions``.
         */
        Problem: {
            /** Type */
            type: string;
            /** Title */
            title: string;
            /** Status */
            status: number;
            code: components["schemas"]["ProblemCode"];
            /** Detail */
            detail: string;
            /**
             * Instance
             * @description The request's path, without its query
             */
            instance: string;
            /** Traceid */
            traceId: string;
            /**
             * Retryable
             * @description Whether the same request may succeed later
             */
            retryable: boolean;
            /**
             * Retryafterseconds
             * @description When to ask again, if known
             */
            retryAfterSeconds?: number | null;
            /**
             * Section
             * @description The required section that is missing
             */
            section?: string | null;
        };
        /**
         * ProblemCode
         * @description The stable ``code`` of a problem. A closed list: docs, OpenAPI, SDL and the edge compiler read it from here.
         * @enum {string}
         */
        ProblemCode: "unauthenticated" | "forbidden" | "not_found" | "method_not_allowed" | "conflict" | "precondition_failed" | "precondition_required" | "idempotency_key_reused" | "invalid_request" | "payload_too_large" | "unsupported_media_type" | "rate_limited" | "deadline_exceeded" | "backend_unreachable" | "backend_faulted" | "backend_invalid" | "backend_refused" | "overloaded" | "limiter_unavailable" | "upgrade_required" | "internal";
        /**
         * ProfileScreen
         * @description Who is signed in.
         */
        ProfileScreen: {
            /** Userid */
            userId: string;
            /** Displayname */
            displayName: string;
            /** Tier */
            tier: string;
            /** Degraded */
            degraded: components["schemas"]["Degraded"][];
        };
        /**
         * Reason
         * @description Why a section was not served fresh. A closed list: part of both public contracts.
         * @enum {string}
         */
        Reason: "timeout" | "deadline" | "unreachable" | "faulted" | "refused" | "invalid" | "rejected";
        /**
         * Source
         * @description What stands in for a section: an older value, its declared default, or nothing (the section is null).
         * @enum {string}
         */
        Source: "default" | "stale" | "none";
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    get_dashboard: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Dashboard"];
                };
            };
            /** @description invalid_request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unauthenticated */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not_found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description rate_limited */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description backend_faulted or backend_invalid or backend_refused */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description backend_unreachable or overloaded or limiter_unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description deadline_exceeded */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_profile: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProfileScreen"];
                };
            };
            /** @description invalid_request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unauthenticated */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not_found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description rate_limited */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description backend_faulted or backend_invalid or backend_refused */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description backend_unreachable or overloaded or limiter_unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description deadline_exceeded */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
