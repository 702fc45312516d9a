# What may follow the words in $1, each with a description behind a tab.
_@id@_words() {
    case $1 in
@words@
    esac
}

# The options there. One with "=" at its end may be given a value only that way.
_@id@_options() {
    case $1 in
@options@
    esac
}

# The values of an option ("words option", without dashes), or a colon and their kind.
_@id@_values() {
    case $1 in
@values@
    esac
}

# A colon and the kind of other words that may follow.
_@id@_operands() {
    case $1 in
@operands@
    *) ;;
    esac
}

# Reads the words before the cursor: the commands among them become $node, and $option is the one whose value is due.
_@id@_read() {
    local name
    node='' option=''
    while [ $# -gt 0 ]; do
        name=${1#-} name=${name#-}
        case $1 in
        -*=*) ;;
        -?*)
            case "$node $name" in
            @needing@)
                [ $# -gt 1 ] || option=$name
                [ $# -lt 2 ] || shift
                ;;
            esac
            ;;
        *)
            name="$node${node:+ }$1"
            case $name in
            @nodes@) node=$name ;;
            esac
            ;;
        esac
        shift
    done
}

# The options of $node, with as many dashes as $1 begins with, where one and two are the same.
_@id@_spelled() {
    local line name one_dash=@one_dash@
    _@id@_options "$node" | while IFS= read -r line; do
        name=${line#-} name=${name#-}
        case $one_dash$1 in
        yes--*) printf -- '--%s\n' "$name" ;;
        yes-?*) printf -- '-%s\n' "$name" ;;
        *) printf '%s\n' "$line" ;;
        esac
    done
}
