# Completion of @program@ for fish. Written by packaging/completion/generate.py.

# What may follow the words in $argv[1], each with a description behind a tab.
function __@id@_words
    switch $argv[1]
@words@
    end
end

# The options there. One with "=" at its end may be given a value only that way.
function __@id@_options
    switch $argv[1]
@options@
    end
end

# The values of an option ("words option", without dashes), or a colon and their kind.
function __@id@_values
    switch $argv[1]
@values@
    end
end

# A colon and the kind of other words that may follow.
function __@id@_operands
    switch $argv[1]
@operands@
    end
end

# Prints rows of standard input behind $argv[1], or what a kind among them stands for; $argv[2] is the word so far.
function __@id@_reply
    while read --local row
        switch $row
            case ':files'
                printf '%s\n' $argv[1](__fish_complete_path $argv[2])
            case ':directories'
                printf '%s\n' $argv[1](__fish_complete_directories $argv[2])
            case ':users'
                printf '%s\n' $argv[1](__fish_complete_users)
            case ':*'
            case '*'
                printf '%s\n' $argv[1]$row
        end
    end
end

function __@id@_complete
    set --local node ''
    set --local option ''
    set --local current (commandline --current-token)
    for word in (commandline --tokenize --cut-at-cursor --current-process)[2..-1]
        if test -n "$option"
            set option ''
            continue
        end
        set --local name (string replace --regex '^--?' '' -- $word)
        switch $word
            case '-*=*'
            case '-*'
                switch "$node $name"
                    case @needing@
                        set option $name
                end
            case '*'
                switch (string trim -- "$node $word")
                    case @nodes@
                        set node (string trim -- "$node $word")
                end
        end
    end
    if test -n "$option"
        __@id@_values "$node $option" | __@id@_reply '' $current
    else if string match --quiet -- '-*=*' $current
        set --local parts (string split --max 1 -- '=' $current)
        set option (string replace --regex '^--?' '' -- $parts[1])
        __@id@_values "$node $option" | __@id@_reply "$parts[1]=" "$parts[2]"
    else if string match --quiet -- '-*' $current
        for row in (__@id@_options $node)
            switch @one_dash@$current
                case 'yes--*'
                    string replace --regex '^--?' -- '--' $row
                case 'yes-?*'
                    string replace --regex '^--?' -- '-' $row
                case '*'
                    printf '%s\n' $row
            end
        end
    else
        __@id@_words $node
        __@id@_operands $node | __@id@_reply '' $current
    end
end

complete --command @program@ --no-files --arguments '(__@id@_complete)'
