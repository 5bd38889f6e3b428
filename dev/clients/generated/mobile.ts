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
    "/mobile/v1/sync": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Sync
         * @description What has changed in every section since a cursor, with what is gone; everything without one.
         */
        get: operations["get_sync"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/mobile/v1/orders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Orders
         * @description All orders, newest first, a page at a time; what is ordered meanwhile shifts nothing.
         */
        get: operations["list_orders"];
        put?: never;
        /**
         * Order Again
         * @description Order the same as before, and tell the user. Safe to send again with the same key: it is done once.
         */
        post: operations["order_again"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/mobile/v1/orders/{orderId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Order
         * @description One order with its lines; 404 when there is none, or it is another user's.
         */
        get: operations["get_order"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/mobile/v1/alerts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Alerts
         * @description Alerts, newest first, a page at a time.
         */
        get: operations["list_alerts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/mobile/v1/alerts/read": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Mark Alerts Read
         * @description Mark several alerts as read; again is no change.
         */
        put: operations["mark_alerts_read"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/mobile/v1/alerts/{alertId}/read": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Mark Alert Read
         * @description Mark an alert as read; again is no change.
         */
        put: operations["mark_alert_read"];
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
        /**
         * Change Profile
         * @description Change the profile, if it is still what the client has seen.
         */
        patch: operations["change_profile"];
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
            severity: components["schemas"]["AlertSeverity"];
            /** Message */
            message: string;
            /**
             * Createdat
             * Format: date-time
             */
            createdAt: string;
        };
        /**
         * AlertNews
         * @description What has changed among the alerts, each as it is now.
         */
        AlertNews: {
            /**
             * Reset
             * @description Throw away what you hold of this section: these are all, from the beginning
             */
            reset: boolean;
            /** Changed */
            changed: components["schemas"]["ReadableAlert"][];
            /**
             * Removed
             * @description Ids of what is gone
             */
            removed: string[];
        };
        /**
         * AlertSeverity
         * @description How much an alert matters; `OTHER` is a degree that this version does not know.
         * @enum {string}
         */
        AlertSeverity: "info" | "warning" | "critical" | "OTHER";
        /**
         * AlertsScreen
         * @description A page of alerts.
         */
        AlertsScreen: {
            /** Items */
            items: components["schemas"]["ReadableAlert"][];
            /** Degraded */
            degraded: components["schemas"]["Degraded"][];
            /**
             * Next
             * @description Send it as `cursor` for the next page; absent at the end
             */
            next?: string | null;
        };
        /** Body_mark_alerts_read */
        Body_mark_alerts_read: {
            /** Ids */
            ids: string[];
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
            tier: components["schemas"]["Tier"];
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
        /** HTTPValidationError */
        HTTPValidationError: {
            /** Detail */
            detail?: components["schemas"]["ValidationError"][];
        };
        /**
         * MarkedScreen
         * @description What came of marking several.
         */
        MarkedScreen: {
            /** Read */
            read: string[];
            /**
             * Missing
             * @description Ids that are none of the user's alerts
             */
            missing: string[];
        };
        /**
         * Order
         * @description One order, as far as a list shows it. Ids are strings: they exceed what a JavaScript number holds.
         */
        Order: {
            /** Id */
            id: string;
            status: components["schemas"]["OrderStatus"];
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
         * OrderLine
         * @description One line of an order; `amount` is `quantity` times `unitAmount`.
         */
        OrderLine: {
            /** Productid */
            productId: string;
            /** Name */
            name: string;
            /** Quantity */
            quantity: number;
            /** Unitamount */
            unitAmount: string;
            /** Amount */
            amount: string;
            /** Currency */
            currency: string;
        };
        /**
         * OrderNews
         * @description What has changed among the orders, each as it is now.
         */
        OrderNews: {
            /**
             * Reset
             * @description Throw away what you hold of this section: these are all, from the beginning
             */
            reset: boolean;
            /** Changed */
            changed: components["schemas"]["Order"][];
            /**
             * Removed
             * @description Ids of what is gone
             */
            removed: string[];
        };
        /**
         * OrderScreen
         * @description One order in full.
         */
        OrderScreen: {
            /** Id */
            id: string;
            status: components["schemas"]["OrderStatus"];
            /** Amount */
            amount: string;
            /** Currency */
            currency: string;
            /**
             * Placedat
             * Format: date-time
             */
            placedAt: string;
            /** Lines */
            lines: components["schemas"]["OrderLine"][];
            /** @description null when it is not known now; see `degraded` */
            customer: components["schemas"]["Profile"] | null;
            /** Degraded */
            degraded: components["schemas"]["Degraded"][];
        };
        /**
         * OrderStatus
         * @description Where an order is; `OTHER` is somewhere that this version does not know.
         * @enum {string}
         */
        OrderStatus: "placed" | "paid" | "shipped" | "delivered" | "cancelled" | "OTHER";
        /**
         * Ordered
         * @description The new order; the user has been told.
         */
        Ordered: {
            order: components["schemas"]["Order"];
        };
        /**
         * OrdersScreen
         * @description A page of orders.
         */
        OrdersScreen: {
            /** Items */
            items: components["schemas"]["Order"][];
            /** Degraded */
            degraded: components["schemas"]["Degraded"][];
            /**
             * Next
             * @description Send it as `cursor` for the next page; absent at the end
             */
            next?: string | null;
        };
        /**
         * Outcome
         * @description What is known of a step. ``unknown``: it was asked for, and no answer came that says.
         * @enum {string}
         */
        Outcome: "done" | "not_done" | "unknown" | "not_started";
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
            /**
             * Steps
             * @description What is known of each step of a write
             */
            steps?: components["schemas"]["Step"][] | null;
        };
        /**
         * ProblemCode
         * @description The stable ``code`` of a problem. A closed list: docs, OpenAPI, SDL and the edge compiler read it from here.
         * @enum {string}
         */
        ProblemCode: "unauthenticated" | "forbidden" | "not_found" | "method_not_allowed" | "not_acceptable" | "conflict" | "precondition_failed" | "precondition_required" | "idempotency_key_reused" | "invalid_request" | "payload_too_large" | "unsupported_media_type" | "rate_limited" | "deadline_exceeded" | "backend_unreachable" | "backend_faulted" | "backend_invalid" | "backend_refused" | "overloaded" | "limiter_unavailable" | "upgrade_required" | "internal";
        /**
         * Profile
         * @description Who the dashboard greets.
         */
        Profile: {
            /** Userid */
            userId: string;
            /** Displayname */
            displayName: string;
            tier: components["schemas"]["Tier"];
        };
        /**
         * ProfileChange
         * @description A merge patch (RFC 7396): what is there is changed, what is null is removed, what is absent stays.
         */
        ProfileChange: {
            /**
             * Displayname
             * @default
             */
            displayName: string;
            /** Email */
            email?: string | null;
        };
        /**
         * ProfileNews
         * @description What has changed of the profile.
         */
        ProfileNews: {
            /**
             * Reset
             * @description Throw away what you hold of this section: these are all, from the beginning
             */
            reset: boolean;
            /** Changed */
            changed: components["schemas"]["SyncedProfile"][];
            /**
             * Removed
             * @description Ids of what is gone
             */
            removed: string[];
        };
        /**
         * ProfileScreen
         * @description Who is signed in.
         */
        ProfileScreen: {
            /** Userid */
            userId: string;
            /** Displayname */
            displayName: string;
            tier: components["schemas"]["Tier"];
            /** Degraded */
            degraded: components["schemas"]["Degraded"][];
            /** Email */
            email: string | null;
            /** Region */
            region: string;
        };
        /**
         * ReadableAlert
         * @description One thing the user should know, and when he has read it; null: not yet.
         */
        ReadableAlert: {
            /** Id */
            id: string;
            severity: components["schemas"]["AlertSeverity"];
            /** Message */
            message: string;
            /**
             * Createdat
             * Format: date-time
             */
            createdAt: string;
            /** Readat */
            readAt: string | null;
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
        /**
         * Step
         * @description One step of a write.
         */
        Step: {
            /** Step */
            step: string;
            outcome: components["schemas"]["Outcome"];
        };
        /**
         * SyncScreen
         * @description What has changed, section by section.
         */
        SyncScreen: {
            profile: components["schemas"]["ProfileNews"];
            orders: components["schemas"]["OrderNews"];
            alerts: components["schemas"]["AlertNews"];
            /**
             * More
             * @description There is more already: ask again at once
             */
            more: boolean;
            /**
             * Next
             * @description Send it as `since` next time
             */
            next: string;
            /** Degraded */
            degraded: components["schemas"]["Degraded"][];
        };
        /**
         * SyncedProfile
         * @description Who is signed in.
         */
        SyncedProfile: {
            /** Userid */
            userId: string;
            /** Displayname */
            displayName: string;
            tier: components["schemas"]["Tier"];
            /** Email */
            email: string | null;
            /** Region */
            region: string;
        };
        /**
         * Tier
         * @description What the user has signed up for; `OTHER` is one that this version does not know.
         * @enum {string}
         */
        Tier: "Free" | "Silver" | "Gold" | "OTHER";
        /** ValidationError */
        ValidationError: {
            /** Location */
            loc: (string | number)[];
            /** Message */
            msg: string;
            /** Error Type */
            type: string;
            /** Input */
            input?: unknown;
            /** Context */
            ctx?: Record<string, never>;
        };
        /**
         * Wish
         * @description What to order again.
         */
        Wish: {
            /**
             * Repeats
             * @description The id of the order to repeat
             */
            repeats: string;
        };
        /**
         * DashboardPart
         * @description The first screen, in one answer.
         */
        DashboardPart: {
            /** Userid */
            userId?: string;
            /** Displayname */
            displayName?: string;
            tier?: components["schemas"]["Tier"];
            /** Recentorders */
            recentOrders?: components["schemas"]["OrderPart"][];
            /**
             * Alerts
             * @description null when the alerts are not known; see `degraded`
             */
            alerts?: components["schemas"]["AlertPart"][] | null;
            /**
             * Aggregatedat
             * Format: date-time
             */
            aggregatedAt?: string;
            /**
             * Degraded
             * @description Sections not served fresh; empty when the answer is whole
             */
            degraded: components["schemas"]["Degraded"][];
            tags?: components["schemas"]["DashboardTags"];
            /** @description Sections that the client has, by its If-Section-Match */
            unchanged?: ("profile" | "recentOrders" | "alerts")[];
        };
        /**
         * OrderPart
         * @description One order, as far as a list shows it. Ids are strings: they exceed what a JavaScript number holds.
         */
        OrderPart: {
            /** Id */
            id?: string;
            status?: components["schemas"]["OrderStatus"];
            /** Amount */
            amount?: string;
            /** Currency */
            currency?: string;
            /**
             * Placedat
             * Format: date-time
             */
            placedAt?: string;
        };
        /**
         * AlertPart
         * @description One thing the user should know.
         */
        AlertPart: {
            /** Id */
            id?: string;
            severity?: components["schemas"]["AlertSeverity"];
            /** Message */
            message?: string;
            /**
             * Createdat
             * Format: date-time
             */
            createdAt?: string;
        };
        /**
         * DashboardTags
         * @description What to send as If-Section-Match, for each section that is here or unchanged
         */
        DashboardTags: {
            /** profile */
            profile?: string;
            /** recentOrders */
            recentOrders?: string;
            /** alerts */
            alerts?: string;
        };
        /**
         * SyncScreenPart
         * @description What has changed, section by section.
         */
        SyncScreenPart: {
            profile?: components["schemas"]["ProfileNewsPart"];
            orders?: components["schemas"]["OrderNewsPart"];
            alerts?: components["schemas"]["AlertNewsPart"];
            /**
             * More
             * @description There is more already: ask again at once
             */
            more?: boolean;
            /**
             * Next
             * @description Send it as `since` next time
             */
            next?: string;
            /** Degraded */
            degraded: components["schemas"]["Degraded"][];
        };
        /**
         * ProfileNewsPart
         * @description What has changed of the profile.
         */
        ProfileNewsPart: {
            /**
             * Reset
             * @description Throw away what you hold of this section: these are all, from the beginning
             */
            reset?: boolean;
            /** Changed */
            changed?: components["schemas"]["SyncedProfilePart"][];
            /**
             * Removed
             * @description Ids of what is gone
             */
            removed?: string[];
        };
        /**
         * SyncedProfilePart
         * @description Who is signed in.
         */
        SyncedProfilePart: {
            /** Userid */
            userId?: string;
            /** Displayname */
            displayName?: string;
            tier?: components["schemas"]["Tier"];
            /** Email */
            email?: string | null;
            /** Region */
            region?: string;
        };
        /**
         * OrderNewsPart
         * @description What has changed among the orders, each as it is now.
         */
        OrderNewsPart: {
            /**
             * Reset
             * @description Throw away what you hold of this section: these are all, from the beginning
             */
            reset?: boolean;
            /** Changed */
            changed?: components["schemas"]["OrderPart"][];
            /**
             * Removed
             * @description Ids of what is gone
             */
            removed?: string[];
        };
        /**
         * AlertNewsPart
         * @description What has changed among the alerts, each as it is now.
         */
        AlertNewsPart: {
            /**
             * Reset
             * @description Throw away what you hold of this section: these are all, from the beginning
             */
            reset?: boolean;
            /** Changed */
            changed?: components["schemas"]["ReadableAlertPart"][];
            /**
             * Removed
             * @description Ids of what is gone
             */
            removed?: string[];
        };
        /**
         * ReadableAlertPart
         * @description One thing the user should know, and when he has read it; null: not yet.
         */
        ReadableAlertPart: {
            /** Id */
            id?: string;
            severity?: components["schemas"]["AlertSeverity"];
            /** Message */
            message?: string;
            /**
             * Createdat
             * Format: date-time
             */
            createdAt?: string;
            /** Readat */
            readAt?: string | null;
        };
        /**
         * OrdersScreenPart
         * @description A page of orders.
         */
        OrdersScreenPart: {
            /** Items */
            items?: components["schemas"]["OrderPart"][];
            /** Degraded */
            degraded: components["schemas"]["Degraded"][];
            /**
             * Next
             * @description Send it as `cursor` for the next page; absent at the end
             * @default null
             */
            next: string | null;
        };
        /**
         * OrderScreenPart
         * @description One order in full.
         */
        OrderScreenPart: {
            /** Id */
            id?: string;
            status?: components["schemas"]["OrderStatus"];
            /** Amount */
            amount?: string;
            /** Currency */
            currency?: string;
            /**
             * Placedat
             * Format: date-time
             */
            placedAt?: string;
            /** Lines */
            lines?: components["schemas"]["OrderLinePart"][];
            /** @description null when it is not known now; see `degraded` */
            customer?: components["schemas"]["ProfilePart"] | null;
            /** Degraded */
            degraded: components["schemas"]["Degraded"][];
        };
        /**
         * OrderLinePart
         * @description One line of an order; `amount` is `quantity` times `unitAmount`.
         */
        OrderLinePart: {
            /** Productid */
            productId?: string;
            /** Name */
            name?: string;
            /** Quantity */
            quantity?: number;
            /** Unitamount */
            unitAmount?: string;
            /** Amount */
            amount?: string;
            /** Currency */
            currency?: string;
        };
        /**
         * ProfilePart
         * @description Who the dashboard greets.
         */
        ProfilePart: {
            /** Userid */
            userId?: string;
            /** Displayname */
            displayName?: string;
            tier?: components["schemas"]["Tier"];
        };
        /**
         * AlertsScreenPart
         * @description A page of alerts.
         */
        AlertsScreenPart: {
            /** Items */
            items?: components["schemas"]["ReadableAlertPart"][];
            /** Degraded */
            degraded: components["schemas"]["Degraded"][];
            /**
             * Next
             * @description Send it as `cursor` for the next page; absent at the end
             * @default null
             */
            next: string | null;
        };
        /**
         * ProfileScreenPart
         * @description Who is signed in.
         */
        ProfileScreenPart: {
            /** Userid */
            userId?: string;
            /** Displayname */
            displayName?: string;
            tier?: components["schemas"]["Tier"];
            /** Degraded */
            degraded: components["schemas"]["Degraded"][];
            /** Email */
            email?: string | null;
            /** Region */
            region?: string;
        };
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
            query?: {
                /** @description Members to answer, with commas between them: `displayName,alerts.message` */
                fields?: string;
                /** @description Sections to answer, with commas between them: `profile`, `recentOrders`, `alerts` */
                sections?: string;
            };
            header?: {
                /** @description The `ETag` of the answer that the client has: 304 if it still holds */
                "If-None-Match"?: string;
                /** @description Tags of the sections that the client has: `alerts="5f1c"`; what has not changed is left out */
                "If-Section-Match"?: string;
            };
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
                    "application/vnd.frontage.part+json": components["schemas"]["DashboardPart"];
                };
            };
            /** @description The client has this answer, by its If-None-Match */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
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
            /** @description upgrade_required */
            426: {
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
    get_sync: {
        parameters: {
            query?: {
                /** @description `next` of the answer before; nothing: everything */
                since?: string;
                /** @description Changes of each section, at most 100 */
                limit?: number;
                /** @description Members to answer, with commas between them: `displayName,alerts.message` */
                fields?: string;
            };
            header?: {
                /** @description The `ETag` of the answer that the client has: 304 if it still holds */
                "If-None-Match"?: string;
            };
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
                    "application/json": components["schemas"]["SyncScreen"];
                    "application/vnd.frontage.part+json": components["schemas"]["SyncScreenPart"];
                };
            };
            /** @description The client has this answer, by its If-None-Match */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
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
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description upgrade_required */
            426: {
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
    list_orders: {
        parameters: {
            query?: {
                /** @description `next` of the page before; nothing: the first */
                cursor?: string;
                /** @description How many, at most 50 */
                limit?: number;
                /** @description Members to answer, with commas between them: `displayName,alerts.message` */
                fields?: string;
            };
            header?: {
                /** @description The `ETag` of the answer that the client has: 304 if it still holds */
                "If-None-Match"?: string;
            };
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
                    "application/json": components["schemas"]["OrdersScreen"];
                    "application/vnd.frontage.part+json": components["schemas"]["OrdersScreenPart"];
                };
            };
            /** @description The client has this answer, by its If-None-Match */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
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
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description upgrade_required */
            426: {
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
    order_again: {
        parameters: {
            query?: never;
            header: {
                /** @description Made up by the client for one wish, the same each time it is sent: a UUID. Kept for 24 hours */
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Wish"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ordered"];
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
            /** @description conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description payload_too_large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unsupported_media_type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description idempotency_key_reused */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description upgrade_required */
            426: {
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
    get_order: {
        parameters: {
            query?: {
                /** @description Members to answer, with commas between them: `displayName,alerts.message` */
                fields?: string;
            };
            header?: {
                /** @description The `ETag` of the answer that the client has: 304 if it still holds */
                "If-None-Match"?: string;
            };
            path: {
                orderId: string;
            };
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
                    "application/json": components["schemas"]["OrderScreen"];
                    "application/vnd.frontage.part+json": components["schemas"]["OrderScreenPart"];
                };
            };
            /** @description The client has this answer, by its If-None-Match */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
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
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description upgrade_required */
            426: {
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
    list_alerts: {
        parameters: {
            query?: {
                /** @description `unread`: those alone */
                only?: "" | "unread";
                /** @description `next` of the page before; nothing: the first */
                cursor?: string;
                /** @description How many, at most 50 */
                limit?: number;
                /** @description Members to answer, with commas between them: `displayName,alerts.message` */
                fields?: string;
            };
            header?: {
                /** @description The `ETag` of the answer that the client has: 304 if it still holds */
                "If-None-Match"?: string;
            };
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
                    "application/json": components["schemas"]["AlertsScreen"];
                    "application/vnd.frontage.part+json": components["schemas"]["AlertsScreenPart"];
                };
            };
            /** @description The client has this answer, by its If-None-Match */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
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
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description upgrade_required */
            426: {
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
    mark_alerts_read: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Body_mark_alerts_read"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MarkedScreen"];
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
            /** @description payload_too_large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unsupported_media_type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description upgrade_required */
            426: {
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
    mark_alert_read: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                alertId: string;
            };
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
                    "application/json": components["schemas"]["ReadableAlert"];
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
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description upgrade_required */
            426: {
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
            query?: {
                /** @description Members to answer, with commas between them: `displayName,alerts.message` */
                fields?: string;
            };
            header?: {
                /** @description The `ETag` of the answer that the client has: 304 if it still holds */
                "If-None-Match"?: string;
            };
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
                    "application/vnd.frontage.part+json": components["schemas"]["ProfileScreenPart"];
                };
            };
            /** @description The client has this answer, by its If-None-Match */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
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
            /** @description upgrade_required */
            426: {
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
    change_profile: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of what is changed */
                "If-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": components["schemas"]["ProfileChange"];
            };
        };
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
            /** @description precondition_failed */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description payload_too_large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unsupported_media_type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HTTPValidationError"];
                };
            };
            /** @description upgrade_required */
            426: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description precondition_required */
            428: {
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
