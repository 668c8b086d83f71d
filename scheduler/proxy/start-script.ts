/**
 * The script that starts what is in an archive with the Node.js beside it. It needs `/bin/sh` and nothing else of the host: no
 * PATH, no tool, no Node.js; all of it is built into every POSIX shell. Where the Node.js cannot run it says so in one line, in
 * the place of the loader's errors. Pure.
 */

/** The start script's own exit code: the Node.js that came with it cannot run on this host (sysexits.h: EX_OSFILE). */
export const UNFIT_HOST = 72;

/** Where the proxy's archive has it. */
export const PROXY_START = 'bin/nodemesh-proxy';

export interface StartScript {
  /** What is started, as a path from the directory of the script; the Node.js is `node` in that directory. */
  readonly script: string;
  /** What it gets in front of the words that the start script is given. */
  readonly words?: readonly string[];
  /** Where a host keeps its C library and says which kernel it is; others in tests. */
  readonly host?: Host;
}

export interface Host {
  /** Directories, for a shell to expand. */
  readonly libraries: readonly string[];
  readonly kernel: string;
}

const LINUX: Host = {
  libraries: ['/lib64', '/usr/lib64', '/lib/*-linux-gnu', '/usr/lib/*-linux-gnu'],
  kernel: '/proc/sys/kernel/osrelease',
};

/** For `/bin/sh` of any system; what it finds out about Linux stays empty elsewhere. */
export function startScript({ script, words = [], host = LINUX }: StartScript): string {
  return `#!/bin/sh
# Starts nodemesh with the Node.js beside this file. Nothing else of the host is used: no PATH, no tool but this shell.
here=\${0%/*}
[ "$here" != "$0" ] || here=.
[ -f "$here/node" ] || {
  printf '%s\\n' "nodemesh: there is no Node.js beside $0: call it where it was unpacked, by its path or with its directory on the PATH; a link to it does not do" >&2
  exit ${UNFIT_HOST}
}
# A Mesos agent hands on the libraries that it runs with itself.
unset LD_LIBRARY_PATH LD_PRELOAD

{ read -r kernel <${host.kernel}; } 2>/dev/null || kernel=
major=\${kernel%%.*}
minor=\${kernel#*.}
minor=\${minor%%[!0-9]*}
old_kernel=
case $major.$minor in
  [0-3].* | 4.[0-9] | 4.1[0-7]) old_kernel="Linux $major.$minor" ;;
esac

unfit() {
  printf '%s\\n' "nodemesh: $1\${old_kernel:+, and $old_kernel, where it is made for 4.18 and later}: $2" >&2
  exit ${UNFIT_HOST}
}
image='use a newer host, or run nodemesh in its image (docs/releases.md, Old hosts)'

# Asked before it is started for good: what the loader says is many lines, and no remedy.
said=$("$here/node" --version 2>&1)
code=$?
if [ $code -ne 0 ]; then
  # Before 2.34 the file of glibc has its version in its name.
  has='a C library (glibc) older than that'
  for libc in ${host.libraries.map((directory) => `${directory}/libc-2.*.so`).join(' ')}; do
    if [ "\${libc%/*}/libc.so.6" -ef "$libc" ]; then
      has=\${libc##*/libc-}
      has="glibc \${has%.so}"
    fi
  done
  line_end='
'
  case $code:$said in
    *'GLIBC_'*'not found'*)
      unfit "the Node.js of this archive needs glibc 2.28, and this host has $has (CentOS 7 and RHEL 7 are too old)" "$image" ;;
    *'GLIBCXX_'*'not found'* | *'CXXABI_'*'not found'* | *'loading shared libraries: libstdc++'*)
      unfit "the Node.js of this archive needs libstdc++ of GCC 5 or newer, and this host has none" "install its package libstdc++ (libstdc++6 on Debian), or $image" ;;
    *'loading shared libraries: '*)
      unfit "the Node.js of this archive lacks a library on this host (\${said##*shared libraries: })" "install it, or $image" ;;
    127:*)
      unfit "the Node.js of this archive needs glibc 2.28, and this host has no glibc (Alpine has none)" "$image" ;;
    126:*'ermission denied'*)
      unfit "the Node.js of this archive may not be run from $here" "unpack it where programs may be (a file system without noexec), and keep the modes of its files" ;;
    126:*)
      unfit "the Node.js of this archive is for another processor than this host's" "take the archive for this one" ;;
    *)
      unfit "the Node.js of this archive does not start (exit code $code)" "\${said%%"$line_end"*}" ;;
  esac
fi
[ -z "$old_kernel" ] || printf '%s\\n' "nodemesh: $old_kernel is older than 4.18, the oldest that this Node.js is made for; it starts, but nobody has tried it" >&2
exec "$here/node" ${[`"$here/${script}"`, ...words].join(' ')} "$@"
`;
}
