"""
The names of uWSGI's other options, so that a known one is told from a slip.

Collected from C{uwsgi --help} of 2.0.21 and 2.0.30 with their plugins, and
from the tables of the development version.
"""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Options of the Emperor, routers, routing and subscriptions that would change
#: what this program does.  They are refused: to pass over C{emperor-tyrant}
#: would run everybody's programs as one user.
UNSUPPORTED = _names(
    """
    emperor-magic-exec
    enable-proxy-protocol error-route
    error-route-host error-route-if error-route-if-not error-route-label error-route-qs
    error-route-referer error-route-remote-addr error-route-remote-user error-route-run
    error-route-status error-route-uri error-route-user-agent
    final-route final-route-host final-route-if final-route-if-not final-route-label
    final-route-qs final-route-referer final-route-remote-addr final-route-remote-user
    final-route-run final-route-status final-route-uri final-route-user-agent forkpty-router
    forkpty-router-cmd forkpty-router-command forkpty-urouter forkptyrouter forkptyrouter-cheap
    forkptyrouter-cmd forkptyrouter-cols forkptyrouter-command forkptyrouter-events
    forkptyrouter-fallback forkptyrouter-harakiri forkptyrouter-processes forkptyrouter-rows
    forkptyrouter-ss forkptyrouter-stats forkptyrouter-stats-server forkptyrouter-timeout
    forkptyrouter-workers forkptyrouter-zerg forkptyurouter
    http-auto-gzip http-backend-http
    http-chunked-input http-enable-proxy-protocol http-manage-rtsp http-manage-source
    http-raw-body http-stud-prefix http-to-https http-websockets https https-export-cert
    https-session-context https2
    rawrouter rawrouter-buffer-size rawrouter-cheap rawrouter-events
    rawrouter-fallback rawrouter-gracetime rawrouter-harakiri rawrouter-max-retries
    rawrouter-processes rawrouter-quiet rawrouter-ss rawrouter-stats rawrouter-stats-server
    rawrouter-subscription-server rawrouter-subscription-slot rawrouter-timeout rawrouter-to
    rawrouter-use-base rawrouter-use-cache rawrouter-use-code-string rawrouter-use-pattern
    rawrouter-use-socket rawrouter-workers rawrouter-xclient rawrouter-zerg response-route
    response-route-host response-route-if response-route-if-not response-route-label
    response-route-qs response-route-referer response-route-remote-addr
    response-route-remote-user response-route-run response-route-status response-route-uri
    response-route-user-agent route route-if route-if-not route-label route-qs route-referer
    route-remote-addr route-remote-user route-run route-uri route-user-agent sslrouter
    sslrouter-buffer-size sslrouter-cheap sslrouter-events sslrouter-fallback
    sslrouter-gracetime sslrouter-harakiri sslrouter-max-retries sslrouter-processes
    sslrouter-quiet sslrouter-session-context sslrouter-sni sslrouter-ss sslrouter-stats
    sslrouter-stats-server sslrouter-subscription-server sslrouter-timeout sslrouter-to
    sslrouter-use-base sslrouter-use-cache sslrouter-use-code-string sslrouter-use-pattern
    sslrouter-use-socket sslrouter-workers sslrouter-zerg sslrouter2
    """
)

#: Options of a worker; the vassals read them, this program has none.
WORKER = _names(
    """
    abstract-socket add-cache-item add-gid add-header after-request-call after-request-hook
    alarm alarm-backlog alarm-cheap alarm-fd alarm-freq alarm-list alarm-listen-queue alarm-log
    alarm-lq alarm-metric alarm-msg-size alarm-segfault alarms-list allowed-modifiers async
    attach-control-daemon attach-daemon attach-daemon2 auto-procname auto-weight autoload
    backlog-alarm backtrace-depth binary-append-data binsh blacklist body-read-warning
    brutal-reload-on-fd buffer-size build-plugin cache cache-blocksize cache-expire-freq
    cache-no-expire cache-report-freed-items cache-store cache-store-sync cache-sync
    cache-udp-node cache-udp-server cache-use-last-modified cache2 call-as-root call-as-user
    call-as-user-atexit call-asap call-in-jail call-post-app call-post-jail call-pre-app
    call-pre-jail callable cap carbon carbon-freq carbon-hostname-dots carbon-id carbon-idle-avg
    carbon-max-retry carbon-name-resolve carbon-no-workers carbon-resolve-names
    carbon-retry-delay carbon-root carbon-timeout carbon-use-metrics catch-exceptions cflags cgi
    cgi-allowed-ext cgi-async-max-attempts cgi-buffer-size cgi-close-stdin-on-eof
    cgi-do-not-kill-on-error cgi-from-docroot cgi-helper cgi-index cgi-loadlib cgi-map-helper
    cgi-mode cgi-optimize cgi-optimized cgi-path-info cgi-safe cgi-timeout cgi-unset cgroup
    cgroup-dir-mode cgroup-opt chdir2 cheap cheaper cheaper-algo cheaper-algo-list
    cheaper-algos-list cheaper-busyness-backlog-alert cheaper-busyness-backlog-multiplier
    cheaper-busyness-backlog-nonzero cheaper-busyness-backlog-step cheaper-busyness-max
    cheaper-busyness-min cheaper-busyness-multiplier cheaper-busyness-penalty
    cheaper-busyness-verbose cheaper-initial cheaper-list cheaper-overload
    cheaper-rss-limit-hard cheaper-rss-limit-soft cheaper-step check-cache check-interval
    check-mount check-mountpoint check-static check-static-docroot chmod chunked-input-limit
    chunked-input-timeout clock clock-list clocks-list close-on-exec close-on-exec2
    collect-header command-mode config-py connect-and-read cpu-affinity cron cron-harakiri
    cron-legion cron2 daemons-honour-stdin declare-option declare-option2 del-header die-on-idle
    die-on-term disable-logging disable-sendfile disable-write-exception dlopen dot-h
    drop-after-apps drop-after-init dump-options early-envdir enable-metrics enable-threads
    end-blacklist end-whitelist env envdir error-page-403 error-page-404 error-page-500 eval
    evil-reload-on-as evil-reload-on-rss exception-handler exec-as-root exec-as-user
    exec-as-user-atexit exec-asap exec-in-jail exec-post-app exec-post-jail exec-pre-app
    exec-pre-jail exit-on-reload extract fallback-config farm fastcgi-modifier1
    fastcgi-modifier2 fastcgi-nph-socket fastcgi-socket fd-safe file file-serve-mode file-write
    fileserve-mode flock flock-wait flock-wait2 flock2 force-cwd force-gateway fork-server
    fork-socket forkbomb-delay freebind fs-brutal-reload fs-reload fs-signal ftok get gevent
    gevent-early-monkey-patch gevent-monkey-patch gevent-wait-for-hub harakiri
    harakiri-graceful-signal harakiri-graceful-timeout harakiri-no-arh harakiri-queue-threshold
    harakiri-verbose home honour-range honour-stdin hook-accepting hook-accepting-once
    hook-accepting1 hook-accepting1-once hook-as-gateway hook-as-mule hook-as-root hook-as-user
    hook-as-user-atexit hook-asap hook-in-jail hook-emperor-lost hook-emperor-reload
    hook-emperor-stop hook-master-start hook-post-app hook-post-fork
    hook-post-jail hook-pre-app hook-pre-jail hook-touch http-socket http-socket-modifier1
    http-socket-modifier2 http-socket2 http11-socket https-socket https-socket-modifier1
    https-socket-modifier2 idle ignore-script-name ignore-sigpipe ignore-write-errors
    immediate-gid immediate-uid import ini-paste ini-paste-logged inject-after inject-before
    iprint jailed ksm lazy lazy-apps legion legion-attach-daemon legion-cron legion-death
    legion-death-on-lord-error legion-freq legion-join legion-lord legion-mcast legion-node
    legion-node-joined legion-node-left legion-quorum legion-scroll legion-scroll-list-max-size
    legion-scroll-max-size legion-setup legion-skew-tolerance legion-smart-attach-daemon
    legion-smart-attach-daemon2 legion-tolerance legion-unlord limit-as limit-nproc limit-post
    listen-queue-alarm load-file-in-cache load-file-in-cache-gzip lock-engine locks log-4xx
    log-5xx log-alarm log-backupname log-big log-date log-drain log-encoder log-filter
    log-format log-format-strftime log-ioerror log-master log-master-bufsize
    log-master-req-stream log-master-stream log-maxsize log-micros log-prefix log-reopen
    log-req-encoder log-req-route log-route log-sendfile log-slow log-socket log-syslog
    log-truncate log-x-forwarded-for log-zero log-zeromq logdate logfile-chmod logfile-chown
    logformat logformat-strftime logger logger-list logger-req loggers-list loop loop-list
    loops-list lq-alarm manage-script-name map-socket master master-as-root master-fifo max-apps
    max-fd max-requests max-requests-delta max-vars max-worker-lifetime
    max-worker-lifetime-delta mem-collector-freq memory-report metric metric-alarm metric-dir
    metric-dir-restore metric-threshold metrics-dir metrics-dir-restore metrics-no-cores
    mime-file mimefile min-worker-lifetime mode module mount mount-as-root mount-asap
    mount-check mount-in-jail mount-post-jail mount-pre-jail mountpoint-check mule mule-harakiri
    mule-msg-size mule-reload-mercy mules multicast multicast-loop multicast-ttl nagios
    namespace namespace-keep-mount namespace-net need-app need-plugin need-plugins never-swap
    no-default-app no-defer-accept no-fd-passing no-harakiri-after-req-hook no-harakiri-arh
    no-initgroups no-orphans no-server no-site no-threads-wait not-alarm-log not-log-alarm
    notfound-log notify-socket ns ns-net offload-thread offload-threads optimize pam pam-user
    paste paste-logger pause pcre-jit pecan persistent-ipcsem ping ping-timeout pivot-root
    pivot_root plugin plugin-dir plugin-list plugins plugins-dir plugins-list post-buffering
    post-buffering-bufsize post-pymodule-alias pp print-sym print-symbol prio
    privileged-binary-patch privileged-binary-patch-arg processes procname procname-append
    procname-master procname-prefix procname-prefix-spaced profiler propagate-touch protocol
    pty-connect pty-exec pty-input pty-log pty-no-isig pty-socket pty-uconnect pull-header pump
    puwsgi-socket py py-auto-reload py-auto-reload-ignore py-autoreload py-call-osafterfork
    py-call-uwsgi-fork-hooks py-executable py-import py-program-name py-programname
    py-sharedarea py-sys-executable py-tracebacker pyargv pyhome pyimport pymodule-alias pyrun
    pyshell pyshell-oneshot python python-auto-reload python-autoreload python-import
    python-path python-raw python-version python-worker-override pythonpath queue
    queue-blocksize queue-store queue-store-sync raw-modifier1 raw-modifier2 raw-socket rbtimer
    re-fork re-fork-as-root re-fork-post-jail reaper refork refork-as-root refork-post-jail
    reload reload-on-as reload-on-exception reload-on-exception-repr
    reload-on-exception-type reload-on-exception-value reload-on-fd reload-on-rss reload-os-env
    rem-header remap-modifier req-logger resolve response-header-collect response-headers-limit
    resume reuse-port router-list routers-list rpc-max rrdtool rrdtool-freq rrdtool-lib
    rsyslog-packet-size rsyslog-split-messages safe-fd safe-pidfile safe-pidfile2 scgi-modifier1
    scgi-modifier2 scgi-nph-socket scgi-socket segfault-alarm setns setns-preopen setns-skip
    setns-socket setns-socket-skip shared-import shared-py-import shared-pyimport
    shared-python-import sharedarea show-config shutdown-sockets signal signal-bufsize
    signal-rbtimer signal-timer signals-bufsize single-interpreter skip-atexit
    skip-atexit-teardown skip-zero smart-attach-daemon smart-attach-daemon2 sni sni-dir
    sni-dir-ciphers sni-regexp snmp snmp-community so-keepalive so-send-timeout so-write-timeout
    socket socket-protocol socket-rcvbuf socket-send-timeout socket-sndbuf socket-timeout
    socket-write-timeout spooler spooler-chdir spooler-external spooler-freq spooler-frequency
    spooler-harakiri spooler-import spooler-max-tasks spooler-ordered spooler-processes
    spooler-py-import spooler-pyimport spooler-python-import spooler-quiet ssl-enable-sslv3
    ssl-enable-tlsv1 ssl-enable3 ssl-option ssl-socket ssl-tmp-dir ssl-verbose ssl-verify-depth
    start-unsubscribed start_response-nodelay static-cache-paths static-cache-paths-name
    static-check static-expires static-expires-mtime static-expires-path-info
    static-expires-path-info-mtime static-expires-type static-expires-type-mtime
    static-expires-uri static-expires-uri-mtime static-gzip static-gzip-all static-gzip-dir
    static-gzip-ext static-gzip-prefix static-gzip-suffix static-index static-map static-map2
    static-safe static-skip-ext stats stats-no-cores stats-no-metrics stats-push
    stats-pusher-default-freq stats-pushers-default-freq stats-server stop suspend suwsgi-socket
    symcall symcall-post-fork symcall-register-rpc symcall-use-next tcp-fast-open
    tcp-fast-open-client tcp-fastopen tcp-fastopen-client tcp-nodelay test thread-stack-size
    thread-stacksize threaded-logger threads threads-stack-size threads-stacksize thunder-lock
    timer touch-chain-reload touch-exec touch-logreopen touch-logrotate touch-mules-reload
    touch-reload touch-signal touch-spoolers-reload touch-workers-reload tuntap-device
    tuntap-device-rule tuntap-router tuntap-router-firewall-in tuntap-router-firewall-out
    tuntap-router-route tuntap-router-stats tuntap-use-credentials udp ugreen ugreen-stacksize
    umount-as-root umount-asap umount-in-jail umount-post-jail umount-pre-jail unenv unique-cron
    unique-cron-legion unique-legion-cron unprivileged-binary-patch
    unprivileged-binary-patch-arg unshare unshare2 unsubscribe-on-graceful-reload
    upload-progress use-abort uwsgi-socket vacuum vassal-sos vassal-sos-backlog venv vhost
    vhost-host virtualenv wait-for-dir wait-for-file wait-for-fs wait-for-fs-timeout
    wait-for-iface wait-for-iface-timeout wait-for-interface wait-for-interface-timeout
    wait-for-mountpoint wait-for-socket wait-for-socket-timeout wait-iface wait-iface-timeout
    wait-interface wait-interface-timeout web3 webdav-add-collection-prop
    webdav-add-collection-prop-comp webdav-add-collection-prop-href webdav-add-object-prop
    webdav-add-object-prop-comp webdav-add-object-prop-href webdav-add-option webdav-add-prop
    webdav-add-prop-comp webdav-add-prop-href webdav-add-rtype-collection-prop
    webdav-add-rtype-object-prop webdav-add-rtype-prop webdav-class-directory webdav-css
    webdav-div webdav-javascript webdav-js webdav-lock-cache webdav-mount webdav-principal-base
    webdav-skip-prop websocket-max-size websocket-ping-freq websocket-pong-tolerance
    websockets-max-size websockets-ping-freq websockets-pong-tolerance weight whitelist
    worker-exec worker-exec2 worker-mount worker-reload-mercy workers
    write-errors-exception-only write-errors-tolerance wsgi wsgi-accept-buffer
    wsgi-accept-buffers wsgi-disable-file-wrapper wsgi-env-behavior wsgi-env-behaviour wsgi-file
    wsgi-lite wsgi-strict zabbix-template zerg zerg-fallback zerg-pool zerg-server zergpool
    """
)

#: Those of them that make it listen.
SOCKETS = _names(
    """
    fastcgi-nph-socket fastcgi-socket http-socket http11-socket https-socket puwsgi-socket
    raw-socket scgi-nph-socket scgi-socket socket ssl-socket suwsgi-socket uwsgi-socket
    """
)

#: Those that name an application.
APPLICATIONS = _names(
    """
    cgi eval file lua module mount paste pecan psgi rack rails wsgi wsgi-file wsgi-lite
    """
)

_ROUTERS = ("fastrouter", "http")

_TWISTD_USER = "the router is a part of this program; start twistd with --uid and --gid"
_SUBSCRIBER = "it belongs into the configuration of the server that subscribes"

#: Options by which a worker subscribes.
SUBSCRIBING = _names(
    """
    st subscribe subscribe-freq subscribe-to subscribe-with-modifier1 subscribe2
    subscription-clear-on-shutdown subscription-notify-socket
    """
)

#: Options that ask for what cannot be had from here, and what to do instead.
#: To pass over C{uid} would run the program as root.
REFUSED: dict[str, str] = {
    "uid": "start twistd with --uid",
    "gid": "start twistd with --gid",
    "chroot": "start twistd with --chroot",
    **{f"{router}-{option}": _TWISTD_USER for router in _ROUTERS for option in ("uid", "gid")},
    **{
        f"{router}-use-socket": "it means a socket of the same uWSGI instance, which there is not;"
        f" give {router}-to the address of that socket"
        for router in _ROUTERS
    },
    **dict.fromkeys(SUBSCRIBING, _SUBSCRIBER),
}

_NO_SYMBOLS = "there is no uWSGI binary in this program, whose functions could be called"
_FORK_SERVER = "a vassal that another program has forked could be anybody's, and nobody's"


def _mount(moment: str) -> str:
    return f"mount(8) does it: {moment} = exec:mount …"


#: Options that will never work here, and why.
ABSENT: dict[str, str] = {
    **{f"call-as-emperor{count}": _NO_SYMBOLS for count in ("", "1", "2", "4")},
    **{f"call-as-vassal{count}": _NO_SYMBOLS for count in ("", "1", "3")},
    **{f"{verb}mount-as-emperor": _mount("hook-as-emperor") for verb in ("", "u")},
    **{f"{verb}mount-as-vassal": _mount("hook-as-vassal-before-drop") for verb in ("", "u")},
    "emperor-fork-server-attr": _FORK_SERVER,
    "emperor-proxy-socket": "it is an option for the file of a vassal, which hands its pipe on",
    "emperor-trigger-socket": "changes are noticed at once, and the signal WINCH looks now",
    "emperor-use-fork-server": _FORK_SERVER,
    "hook-as-emperor-setns": "nsenter(1) does it: hook-as-emperor = exec:nsenter"
    " --target $UWSGI_VASSAL_PID …",
    "hook-emperor-start": "the init system does it: ExecStartPre= in the unit",
    "vassal-fork-base": _FORK_SERVER,
    "zeus": "uWSGI has never finished it",
}

#: Options of uWSGI's routers that ask for what is done here anyway, or tune
#: what does not exist here: why they do nothing.
NEEDLESS: dict[str, str] = {
    **{
        f"{router}-{option}": why
        for router in _ROUTERS
        for option, why in {
            "buffer-size": "bytes are taken as they come, and no faster than they can be passed on",
            "events": "all that has happened is taken at once",
            "harakiri": "nothing that is done for a request waits, and each of its parts has its"
            f" own time-out; a function of {router}-use-code-string, which can hold up all"
            f" requests, is ended after {router}-code-timeout",
            "post-buffering-dir": "temporary files lie in $TMPDIR, as uWSGI's do",
            "quiet": "refusals in great number are counted, not logged one by one",
        }.items()
    },
    "fastrouter-subscription-slot": "uWSGI passes over it too",
    "early-emperor": "vassals start when everything listens, with the rights that twistd has then",
    "emperor-subreaper": "the processes that a vassal leaves behind are always ours, and ended",
    "http-auto-chunked": "an answer without a length always goes out in chunks",
    "http-manage-expect": "Expect: 100-continue is always answered",
}
