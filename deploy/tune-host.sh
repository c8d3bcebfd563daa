#!/usr/bin/env bash
# Sets what of deploy/host.md needs no restart of the host. Without --apply it only says what it would set. What it sets is gone
# after the next boot; boot parameters are printed, never written.
set -euo pipefail
shopt -s nullglob

usage() {
    cat <<'END'
usage: tune-host.sh [--cpus LIST] [--apply | --revert] [--root DIR]
  --cpus LIST  the hot cores, such as 2-3: feed_cpu and engine_cpu of engine.toml; without it, the isolated ones
  --apply      sets it, and saves what was there in /run/tickgate/tune-host.saved
  --revert     puts back what --apply saved
  --root DIR   works on DIR/proc and DIR/sys in place of the host's own
exit codes: 0 done; 1 something could not be set; 2 usage
END
}

die() {
    echo "tune-host.sh: $*" >&2
    exit 2
}

mode=show
root=
hot_list=
while (($#)); do
    case $1 in
    --apply | --revert)
        [[ $mode == show ]] || die "either --apply or --revert"
        mode=${1#--}
        ;;
    --cpus | --root)
        (($# > 1)) || die "$1 takes a value"
        if [[ $1 == --cpus ]]; then hot_list=$2; else root=${2%/}; fi
        shift
        ;;
    --help | -h)
        usage
        exit 0
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
    shift
done
[[ -d $root/proc && -d $root/sys ]] || die "${root:-/}: holds no proc and sys"
if [[ $mode != show && -z $root && $EUID -ne 0 ]]; then
    die "--$mode must be run as root"
fi
saved=$root/run/tickgate/tune-host.saved
failed=0
set_count=0

# First line of a file, or nothing.
read_line() {
    local line=
    { IFS= read -r line <"$1"; } 2>/dev/null || true
    printf '%s' "$line"
}

# Of `always [madvise] never` the word in brackets, else the line.
value_of() {
    local line
    line=$(read_line "$1")
    if [[ $line =~ \[([a-z+_-]+)\] ]]; then line=${BASH_REMATCH[1]}; fi
    printf '%s' "$line"
}

write() {
    { printf '%s\n' "$2" >"$1"; } 2>/dev/null
}

# Numbers of a list such as 0-3,8, one a line.
expand() {
    local part
    for part in ${1//,/ }; do
        [[ $part =~ ^[0-9]{1,4}(-[0-9]{1,4})?$ ]] || return 1
        ((10#${part%-*} <= 10#${part#*-})) || return 1
        seq "${part%-*}" "${part#*-}"
    done
}

# Whether two lists share a number.
meet() {
    local cpu
    for cpu in $(expand "$1"); do
        [[ " $hot " == *" $cpu "* ]] && return 0
    done
    return 1
}

# Mask of numbers, as the kernel takes it: words of 32 bits, the highest first.
mask() {
    local cpu word text='' words=()
    for cpu in "$@"; do
        words[cpu / 32]=$((${words[cpu / 32]:-0} | 1 << cpu % 32))
    done
    for ((word = 0; word <= ${*: -1} / 32; word++)); do
        text=$(printf '%08x' "${words[word]:-0}")${text:+,$text}
    done
    printf '%s' "$text"
}

# Numbers of a mask, one a line.
unmask() {
    local words word place=0 bit
    IFS=, read -r -a words <<<"$1"
    for ((word = ${#words[@]} - 1; word >= 0; word--, place += 32)); do
        [[ ${words[word]} =~ ^[0-9a-fA-F]{1,8}$ ]] || return 1
        for bit in {0..31}; do
            if ((16#${words[word]} >> bit & 1)); then echo $((place + bit)); fi
        done
    done
}

# want PATH VALUE: sets a file of the kernel, if there is one and it says something else. One that says nothing is left alone, as the
# governor of a core that is offline.
want() {
    local path=$1 value=$2 old
    [[ -f $root$path ]] || return 0
    old=$(value_of "$root$path")
    [[ -n $old && $old != "$value" ]] || return 0
    if [[ $mode == show ]]; then
        echo "would set $path: $old -> $value"
        set_count=$((set_count + 1))
        return 0
    fi
    if write "$root$path" "$value"; then
        # What was there first is what --revert puts back, however often this runs.
        if ! grep -q -F "$path"$'\t' "$saved" 2>/dev/null; then
            printf '%s\t%s\n' "$path" "$old" >>"$saved"
        fi
        echo "set $path: $old -> $value"
        set_count=$((set_count + 1))
    else
        echo "the kernel keeps $path: $old, not $value" >&2
        failed=1
    fi
}

# The same for a number that must not be smaller.
want_least() {
    local old
    [[ -f $root$1 ]] || return 0
    old=$(read_line "$root$1")
    if [[ $old =~ ^[0-9]{1,15}$ ]] && ((10#$old < $2)); then want "$1" "$2"; fi
}

revert() {
    local path old left=()
    [[ -f $saved ]] || die "nothing was saved: ${saved} is absent"
    while IFS=$'\t' read -r path old; do
        case $path in
        *..*) die "$saved: not ours: $path" ;;
        /proc/sys/* | /proc/irq/* | /sys/*) ;;
        *) die "$saved: not ours: $path" ;;
        esac
        if [[ ! -f $root$path ]]; then
            echo "gone: $path" >&2
        elif [[ $(value_of "$root$path") == "$old" ]]; then
            echo "is back already $path: $old"
        elif write "$root$path" "$old"; then
            echo "set back $path: $old"
        else
            echo "the kernel keeps $path, not $old" >&2
            left+=("$path"$'\t'"$old")
        fi
    done < <(tac "$saved")
    rm -f "$saved"
    if ((${#left[@]})); then
        printf '%s\n' "${left[@]}" >"$saved"
        exit 1
    fi
}

memory_and_scheduler() {
    want /sys/kernel/mm/transparent_hugepage/enabled madvise
    want /sys/kernel/mm/transparent_hugepage/defrag madvise
    want /sys/kernel/mm/ksm/run 0
    want /proc/sys/vm/swappiness 0
    want /proc/sys/vm/stat_interval 120
    want /proc/sys/vm/compaction_proactiveness 0
    want /proc/sys/kernel/numa_balancing 0
    want /proc/sys/kernel/sched_rt_runtime_us -1
    want /proc/sys/kernel/watchdog 0
    want_least /proc/sys/net/core/rmem_max 33554432
    want_least /proc/sys/net/core/netdev_max_backlog 10000
}

power() {
    local cpu state path latency
    for path in "$root"/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor; do
        want "${path#"$root"}" performance
    done
    for cpu in $hot; do
        for state in "$root/sys/devices/system/cpu/cpu$cpu"/cpuidle/state*; do
            latency=$(read_line "$state/latency")
            if [[ $latency =~ ^[0-9]{1,9}$ ]] && ((10#$latency > 2)); then want "${state#"$root"}/disable" 1; fi
        done
    done
}

interrupts() {
    local path at rest_mask
    rest_mask=$(mask "${rest[@]}")
    for path in "$root"/proc/irq/[0-9]*/smp_affinity_list; do
        at=$(read_line "$path")
        if meet "$at"; then want "${path#"$root"}" "$rest_list"; fi
    done
    for path in "$root/proc/irq/default_smp_affinity" "$root/sys/devices/virtual/workqueue/cpumask" \
        "$root"/sys/class/net/*/queues/rx-*/rps_cpus; do
        [[ -f $path ]] || continue
        at=$(unmask "$(read_line "$path")" | paste -s -d ,) || continue
        if meet "$at"; then want "${path#"$root"}" "$rest_mask"; fi
    done
}

by_hand() {
    local cpu path siblings sibling
    for path in "$root"/proc/[0-9]*/comm; do
        if [[ $(read_line "$path") == irqbalance ]]; then
            echo "by hand: systemctl disable --now irqbalance     # it would undo the affinities"
        fi
    done
    for cpu in $hot; do
        siblings=$(read_line "$root/sys/devices/system/cpu/cpu$cpu/topology/thread_siblings_list")
        for sibling in $(expand "$siblings"); do
            if [[ " $hot " != *" $sibling "* && $(read_line "$root/sys/devices/system/cpu/cpu$sibling/online") == 1 ]]; then
                echo "by hand: echo 0 > /sys/devices/system/cpu/cpu$sibling/online     # the second thread of core $cpu"
            fi
        done
    done
    for path in "$root"/sys/class/net/*/device; do
        path=${path%/device}
        echo "by hand: ethtool -C ${path##*/} adaptive-rx off rx-usecs 0"
    done
}

# What a list of a boot parameter names, one a line: flags as they are, cores one by one. The kernel reads `all`, and `N` as the last.
named() {
    local part last
    last=$(read_line "$root/sys/devices/system/cpu/possible")
    last=${last:-$online_list}
    last=${last##*[,-]}
    for part in ${1//,/ }; do
        [[ $part != all ]] || part=0-N
        part=${part//N/$last}
        expand "$part" || echo "$part"
    done | sort -u
}

# Whether a parameter stands on the kernel's line, its cores written in whatever way. More cores than the hot ones are as good;
# interrupts must go to just those that are said.
on_line() {
    local found missing word=$2
    [[ $1 != *" $word "* ]] || return 0
    for found in $1; do
        [[ $word == *=* && ${found%%=*} == "${word%%=*}" ]] || continue
        found=$(named "${found#*=}")
        missing=$(comm -13 <(echo "$found") <(named "${word#*=}"))
        [[ -z $missing ]] || continue
        [[ $word != irqaffinity=* || $found == "$(named "${word#*=}")" ]] || continue
        return 0
    done
    return 1
}

boot_parameters() {
    local line word
    line=" $(read_line "$root/proc/cmdline") "
    echo "kernel command line, what is missing (grubby --update-kernel=ALL --args='…', or GRUB_CMDLINE_LINUX):"
    for word in "isolcpus=managed_irq,domain,$hot_list" "nohz_full=$hot_list" "rcu_nocbs=$hot_list" "irqaffinity=$rest_list" \
        transparent_hugepage=madvise skew_tick=1 nosoftlockup intel_idle.max_cstate=0 processor.max_cstate=1; do
        on_line "$line" "$word" || echo "    $word"
    done
    if [[ $line != *" mitigations="* ]]; then echo "    mitigations=auto   (or off: your decision, see deploy/host.md)"; fi
}

if [[ $mode == revert ]]; then
    revert
    exit 0
fi

online_list=$(read_line "$root/sys/devices/system/cpu/online")
[[ -n $hot_list ]] || hot_list=$(read_line "$root/sys/devices/system/cpu/isolated")
hot=$(expand "$hot_list") || die "no list of cores: $hot_list"
hot=${hot//$'\n'/ }
rest=()
for cpu in $(expand "$online_list"); do
    [[ " $hot " == *" $cpu "* ]] || rest+=("$cpu")
done
for cpu in $hot; do
    [[ " $(expand "$online_list" | paste -s -d ' ') " == *" $cpu "* ]] || die "core $cpu is not online ($online_list)"
done
rest_list=$(
    IFS=,
    echo "${rest[*]}"
)
((${#rest[@]})) || die "no core is left for everything else"

if [[ $mode == apply ]]; then
    mkdir -p "${saved%/*}"
fi
memory_and_scheduler
power
if [[ -n $hot ]]; then
    interrupts
else
    echo "no core is isolated, and --cpus names none: interrupts stay where they are" >&2
    hot_list=A-B
    rest_list=REST
fi
if [[ $mode == show ]]; then
    echo "$set_count to set; --apply does it"
else
    echo "$set_count set; --revert puts them back"
fi
by_hand
boot_parameters
exit "$failed"
