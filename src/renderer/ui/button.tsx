import type { ButtonHTMLAttributes, ReactElement } from 'react'
import type { IconName } from './icons.tsx'
import { Icon } from './icons.tsx'

type ButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'type'> & {
  variant?: 'plain' | 'primary' | 'danger'
  icon?: IconName
}

export function Button({ variant = 'plain', icon, className = '', children, ...rest }: ButtonProps): ReactElement {
  return (
    <button type="button" className={`button button-${variant} ${className}`} {...rest}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  )
}

type IconButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'type' | 'aria-label'> & {
  icon: IconName
  /** The accessible name, and the tooltip unless `title` says more. */
  label: string
}

export function IconButton({ icon, label, title, className = '', ...rest }: IconButtonProps): ReactElement {
  return (
    <button type="button" className={`icon-button ${className}`} aria-label={label} title={title ?? label} {...rest}>
      <Icon name={icon} />
    </button>
  )
}
